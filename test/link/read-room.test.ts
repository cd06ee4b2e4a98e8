import { describe, expect, it } from "vitest";
import { FrameEnds } from "../../shared/link/frame-ends.ts";
import { ReadRoom } from "../../shared/link/read-room.ts";
import { clientFrame } from "../support/raw-frames.ts";
import { seeded } from "../support/seeded.ts";

const BINARY = 2;
const MOST = 200_000;

const frameOf = (length: number, fill: number) => clientFrame(BINARY, Buffer.alloc(length, fill));
const ping = clientFrame(9, "still there?");

/** Reads the bytes as a socket would, at most `most()` at once; what was handed on, each as a copy with its memory. */
function readAll(room: ReadRoom, bytes: Buffer, most: () => number) {
  const handed: { readonly bytes: Buffer; readonly memory: ArrayBufferLike }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = room.space();
    if (space.length === 0) throw new Error("Cannot read: there is no space");
    const count = bytes.copy(space, 0, at, Math.min(bytes.length, at + Math.max(1, Math.floor(most()))));
    at += count;
    const given = room.take(count);
    if (given) handed.push({ bytes: Buffer.from(given), memory: given.buffer });
  }
  return handed;
}

function newRoom() {
  const room = new ReadRoom(new FrameEnds(MOST), MOST);
  return { room, memory: room.space().buffer };
}

describe.each([
  ["all at once", () => Number.POSITIVE_INFINITY],
  ["in socket buffers", () => 65_536],
  ["byte by byte", () => 1],
])("frames that come %s", (_, most) => {
  it("are handed on whole, in order, all from the same memory", () => {
    const frames = Array.from({ length: 12 }, (_, n) => frameOf((n * 7919) % 9000, n));
    frames.push(frameOf(MOST, 99), frameOf(0, 0), frameOf(MOST, 98));
    const { room, memory } = newRoom();
    const handed = readAll(room, Buffer.concat(frames), most);
    expect(Buffer.compare(Buffer.concat(handed.map(({ bytes }) => bytes)), Buffer.concat(frames))).toBe(0);
    const ends = new FrameEnds(MOST);
    for (const { bytes, memory: each } of handed) {
      expect(each).toBe(memory);
      expect(ends.follow(bytes)).toBe(bytes.length);
    }
  });
});

it("whatever comes is handed on byte for byte, however it is cut", () => {
  const random = seeded(2);
  for (let round = 0; round < 50; round++) {
    const pieces = Array.from({ length: 20 }, () => {
      if (random() < 0.2) return ping;
      if (random() < 0.1) return clientFrame(BINARY, Buffer.alloc(random() * 300_000, 5), { fin: false });
      return frameOf(Math.floor(random() ** 4 * MOST), Math.floor(random() * 256));
    });
    const bytes = Buffer.concat(pieces);
    const handed = readAll(newRoom().room, bytes, () => random() ** 3 * 300_000);
    expect(Buffer.compare(Buffer.concat(handed.map((each) => each.bytes)), bytes)).toBe(0);
  }
});

it.each([
  ["a ping", ping],
  ["a fragment", clientFrame(BINARY, "x", { fin: false })],
  ["a frame too long", frameOf(MOST + 1, 1)],
])("%s is never lent: its reader may keep it", (_, frame) => {
  const { room, memory } = newRoom();
  const handed = readAll(room, frame, () => 10_000);
  expect(handed.length).toBeGreaterThan(0);
  for (const each of handed) expect(each.memory).not.toBe(memory);
});

it("a frame too long is handed on as it comes, so that it is refused for its header", () => {
  const [first] = readAll(newRoom().room, frameOf(MOST + 1, 1).subarray(0, 100), () => 100);
  expect(first?.bytes).toHaveLength(100);
});

it("a frame that had begun before is finished from there", () => {
  const frame = frameOf(MOST, 3);
  for (const before of [1, 9, 14, 15, 100_000]) {
    const ends = new FrameEnds(MOST);
    ends.follow(frame.subarray(0, before));
    const handed = readAll(new ReadRoom(ends, MOST), frame.subarray(before), () => 50_000);
    expect(handed).toHaveLength(1);
    expect(handed[0]!.bytes).toHaveLength(frame.length - before);
  }
});
