import { expect, it } from "vitest";
import { FrameEnds } from "../../shared/link/frame-ends.ts";
import { clientFrame } from "../support/raw-frames.ts";
import { seeded } from "../support/seeded.ts";

const BINARY = 2;
const MOST = 70_000;

/** Of every form of length, with and without a mask, empty ones among them. */
const lengths = [0, 1, 125, 126, 65_535, 65_536, MOST];
const ours = lengths.flatMap((length) =>
  [true, false].map((masked) => clientFrame(BINARY, Buffer.alloc(length, 0x82), { masked })),
);

it("finds the last end in whatever piece comes", () => {
  const random = seeded(1);
  const bytes = Buffer.concat(ours);
  const all = ours.map((_, index) => Buffer.concat(ours.slice(0, index + 1)).length);
  const ends = new FrameEnds(MOST);
  for (let at = 0; at < bytes.length; ) {
    const to = Math.min(bytes.length, at + Math.ceil(random() ** 4 * 100_000));
    const last = all.findLast((end) => end > at && end <= to) ?? at;
    expect([ends.follow(bytes, at, to), ends.metForeign]).toEqual([last, false]);
    at = to;
  }
});

it("says how much of a payload is still to come", () => {
  const ends = new FrameEnds(MOST);
  const frame = clientFrame(BINARY, Buffer.alloc(1000));
  expect(ends.follow(frame.subarray(0, 7))).toBe(0);
  expect(ends.owed).toBe(0);
  expect(ends.follow(frame.subarray(7, 108))).toBe(0);
  expect(ends.owed).toBe(900);
  expect(ends.follow(frame.subarray(108))).toBe(900);
  expect(ends.owed).toBe(0);
});

it.each([
  ["text", clientFrame(1, "hello")],
  ["a ping", clientFrame(9)],
  ["a close", clientFrame(8, Buffer.from("03e8", "hex"))],
  ["the first of fragments", clientFrame(BINARY, "x", { fin: false })],
  ["a continuation", clientFrame(0, "x")],
  ["a reserved bit", clientFrame(BINARY, "x", { rsv: 4 })],
  ["a frame too long", clientFrame(BINARY, Buffer.alloc(MOST + 1))],
])("%s is foreign, and what follows is not", (_, frame) => {
  const ends = new FrameEnds(MOST);
  const whole = clientFrame(BINARY, "x");
  ends.follow(whole);
  expect(ends.metForeign).toBe(false);
  expect(ends.follow(frame)).toBe(frame.length);
  expect(ends.metForeign).toBe(true);
  ends.follow(whole);
  expect(ends.metForeign).toBe(false);
});

it("a length beyond all numbers is followed without end, and harms nobody", () => {
  const ends = new FrameEnds(MOST);
  expect(ends.follow(clientFrame(BINARY, "x", { declared: 2n ** 64n - 1n, form: 64 }))).toBe(0);
  expect(ends.owesForeign).toBe(true);
  expect(ends.owed).toBeGreaterThan(2 ** 53);
});
