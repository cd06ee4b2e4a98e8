import { expect, test } from "vitest";
import { decode, encode } from "../../shared/wire/codec.ts";
import { decodeMutants } from "./decode-mutants.ts";
import { validFrames } from "./mutants.ts";

test("50,000 mutants of valid frames are taken or refused, and nothing else happens", () => {
  const { taken, refused } = decodeMutants(20_170_321, 50_000);
  // The control: mutants that are still frames (another batch, other values) show that not everything is refused.
  expect(taken).toBeGreaterThan(1_000);
  expect(refused).toBeGreaterThan(20_000);
});

test("the frames they are made of are valid", () => {
  for (const frame of validFrames)
    expect(decode(encode(frame), { maxFrameBytes: 1 << 20 }).kind).toBe(frame.kind);
});
