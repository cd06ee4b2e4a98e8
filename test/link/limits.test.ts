import { expect, test } from "vitest";
import { frameBytes, LARGEST_FRAME_BYTES } from "../../shared/link/limits.ts";
import { encode } from "../../shared/wire/codec.ts";
import { activation, byteTensor } from "../support/frames.ts";

test("a frame of a whole batch fits in what is reckoned for it", () => {
  expect(encode(activation(2 ** 52, 64, 784)).length).toBeLessThanOrEqual(frameBytes(64, 784 + 10));
});

test("so do many examples of one int and its scale", () => {
  const frame = { ...activation(2 ** 52, 60_000, 1), activation: byteTensor(60_000, 1) };
  expect(encode(frame).length).toBeLessThanOrEqual(frameBytes(60_000, 1 + 1));
  expect(encode({ kind: "gradient", batch: 1, gradient: byteTensor(60_000, 1) }).length).toBeLessThanOrEqual(
    frameBytes(60_000, 1),
  );
});

test("a small network still has room for frames without tensors", () => {
  expect(frameBytes(1, 1)).toBe(256 * 1024);
});

test("a frame beyond the largest is refused before any link is made, with both numbers", () => {
  const widest = (LARGEST_FRAME_BYTES - 4096) / 4 / 64 - 1;
  expect(frameBytes(64, widest)).toBe(LARGEST_FRAME_BYTES);
  expect(() => frameBytes(64, widest + 1)).toThrow(
    "Cannot send 64 examples of 262128 floats: 67109120 bytes a frame, at most 67108864",
  );
});
