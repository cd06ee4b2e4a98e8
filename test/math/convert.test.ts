import { expect, it } from "vitest";
import { bytesToFloats } from "../../shared/math/convert.ts";

it("scales each byte, and rounds to a float once", () => {
  const out = new Float32Array(257);
  bytesToFloats(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    1 / 255,
    out,
  );
  expect(Array.from(out.subarray(0, 256))).toEqual(
    Array.from({ length: 256 }, (_, i) => Math.fround(i / 255)),
  );
  expect(out[256]).toBe(0);
});

it("refuses more bytes than there is room for", () => {
  expect(() => bytesToFloats(new Uint8Array(3), 1, new Float32Array(2))).toThrow(
    "Cannot convert bytes: 3 bytes, room for 2 floats",
  );
});
