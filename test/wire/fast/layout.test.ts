import { isDeepStrictEqual } from "node:util";
import { pack } from "msgpackr";
import { describe, expect, it, test, vi } from "vitest";
import { decode, encode } from "../../../shared/wire/codec.ts";
import { FastCodec } from "../../../shared/wire/fast/fast-codec.ts";
import { Layout } from "../../../shared/wire/fast/layout.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import type { Frame, Tensor } from "../../../shared/wire/frames.ts";
import { Mutants } from "../../fuzz/mutants.ts";
import { activation, byteTensor, correction, countingTensor, hello, preview } from "../../support/frames.ts";

const limits = { maxFrameBytes: 1 << 20 };
const pixels: Tensor = {
  dtype: "u8",
  shape: [2, 3],
  scale: 1 / 255,
  data: Uint8Array.from([1, 2, 3, 4, 5, 6]),
};

/** Each kind that comes for every batch, in each form that its tensors take. */
const kinds: readonly (readonly [string, (batch: number) => Frame])[] = [
  ["an activation", (batch) => activation(batch)],
  ["an activation with scales", (batch) => ({ ...activation(batch), activation: byteTensor(2, 4) })],
  ["an activation with an input", (batch) => ({ ...activation(batch), input: pixels })],
  ["a preview", (batch) => ({ ...preview(batch), input: pixels })],
  ["a correction", (batch) => correction(batch)],
  ["a gradient", (batch) => ({ kind: "gradient", batch, gradient: countingTensor(2, 4) })],
  ["an answer without numbers", (batch) => ({ kind: "gradient", batch })],
];

/** Where a number takes another length in MessagePack, or stops being one that a layout is of. */
const BATCHES = [
  ...[0, 1, 127, 128, 255, 256, 257, 0xfffe, 0xffff, 0x10000, 0x10001, 0xfffffffe, 0xffffffff],
  ...[2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER],
];

function read(reader: FastCodec, bytes: Uint8Array): unknown {
  return outcome(() => reader.decode(bytes));
}

function decoded(bytes: Uint8Array): unknown {
  return outcome(() => decode(bytes, limits));
}

/** The frame with plain arrays, or why there is none. */
function outcome(run: () => Frame): unknown {
  try {
    return structuredClone(run());
  } catch (error) {
    return (error as Error).message;
  }
}

/** The outcome, for tens of thousands of bytes: an expectation takes a millisecond where this takes microseconds. */
function requireSame(reader: FastCodec, bytes: Uint8Array): unknown {
  const found = read(reader, bytes);
  if (!isDeepStrictEqual(found, decoded(bytes))) expect(found).toEqual(decoded(bytes));
  return found;
}

/** Each right after one that was whole. */
function requireSameWithAnyByteChanged(bytes: Uint8Array): void {
  const reader = new FastCodec(limits);
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [0x01, 0x80, 0xff]) {
      reader.decode(bytes);
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      requireSame(reader, changed);
    }
  }
}

function bytesOf(frame: Frame): Buffer {
  return Buffer.from(encode(frame));
}

function withOtherValues(frame: Frame): Frame {
  const copy = structuredClone(frame);
  for (const part of Object.values(copy)) {
    if (!(part?.data instanceof Uint8Array)) continue;
    part.data.forEach((value: number, at: number) => {
      part.data[at] = value ^ 0xff;
    });
  }
  return copy;
}

describe.each(kinds)("%s", (_, make) => {
  it("is written as encode writes it, whatever came before, at any batch", () => {
    const writer = new FastCodec(limits);
    for (const batch of [...BATCHES, ...BATCHES.toReversed()]) {
      for (const frame of [make(batch), withOtherValues(make(batch))]) {
        // A copy, as the packer hangs a view of its own on its memory.
        expect(Buffer.from(writer.encode(frame))).toEqual(bytesOf(frame));
      }
    }
  });

  it("is read as decode reads it, whatever came before, at any batch", () => {
    const reader = new FastCodec(limits);
    for (const batch of [...BATCHES, ...BATCHES.toReversed()]) {
      for (const frame of [make(batch), withOtherValues(make(batch))]) {
        expect(read(reader, bytesOf(frame))).toEqual(frame);
      }
    }
  });

  it("is read as decode reads it with any byte changed", () => {
    requireSameWithAnyByteChanged(bytesOf(make(300)));
  });

  it("is written and read by a layout from the second one on", () => {
    const written = vi.spyOn(Layout.prototype, "write");
    const readSo = vi.spyOn(Layout.prototype, "read");
    const [writer, reader] = [new FastCodec(limits), new FastCodec(limits)];
    for (const batch of [300, 301, 302]) reader.decode(writer.encode(make(batch)));
    expect(written).toHaveBeenCalledTimes(2);
    expect(readSo.mock.results.map(({ value }) => value?.batch)).toEqual([301, 302]);
    vi.restoreAllMocks();
  });

  it("has a layout, so that all of this is of one, and lies where its bytes do", () => {
    const bytes = bytesOf(make(300));
    const layout = Layout.of(decode(bytes, limits), bytes)!;
    expect(layout.holds(make(301))).toBe(true);
    const moved = Buffer.concat([Buffer.alloc(3), bytesOf(make(301))]).subarray(3);
    expect(structuredClone(layout.read(moved))).toEqual(make(301));
    for (const part of Object.values(layout.read(moved)!)) {
      if (part?.data instanceof Uint8Array) expect(part.data.buffer).toBe(moved.buffer);
    }
  });
});

test("an answer that names its item is written and read as such, behind answers of the same length that name none", () => {
  const named: Frame[] = [
    { kind: "gradient", batch: 301, part: 1 },
    { kind: "gradient", batch: 302, snapshot: "000000302-0a1b2c3d" },
  ];
  const [writer, reader] = [new FastCodec(limits), new FastCodec(limits)];
  const plain: Frame[] = [299, 300].map((batch) => ({ kind: "gradient", batch }));
  for (const frame of [...plain, ...named]) expect(reader.decode(writer.encode(frame))).toEqual(frame);
});

test("frames of one kind that differ in anything but number and values are not of one layout", () => {
  const bytes = bytesOf({ ...activation(300), input: pixels });
  const layout = Layout.of(decode(bytes, limits), bytes)!;
  const others: Frame[] = [
    activation(301),
    { ...activation(301), input: { ...pixels, scale: 1 / 256 } },
    { ...activation(301), input: { dtype: "u8", shape: [2, 3], data: pixels.data } },
    { ...activation(301), input: { ...pixels, shape: [3, 2] } },
    { ...activation(301, 3), input: pixels },
    { ...activation(301), activation: byteTensor(2, 4), input: pixels },
    { ...activation(301), input: pixels, evaluation: { part: 0, parts: 1 } },
    { kind: "gradient", batch: 301, gradient: countingTensor(2, 4) },
    hello,
  ];
  for (const other of others) {
    expect(layout.holds(other)).toBe(false);
    expect(layout.read(bytesOf(other))).toBeUndefined();
  }
});

test("bytes within a scale that look like a batch number are not taken for one", () => {
  const scale = Buffer.from("\xa5batch\xcd\x01", "latin1").readDoubleBE();
  const labels = { dtype: "u8", shape: [2, 1], scale, data: new Uint8Array(2) };
  // As another program may write it: the number behind the labels. The key of `data` begins where the "number" ends.
  const bytes = pack({ kind: "activation", labels, batch: 300, activation: countingTensor(2, 4) });
  expect(bytes.includes(Buffer.from("\xa5batch\xcd\x01\xa4data", "latin1"))).toBe(true);
  requireSameWithAnyByteChanged(bytes);
});

test("a frame with its fields in any other order is read as decode reads it", () => {
  const { kind, batch, activation: floats, labels } = activation(300);
  requireSameWithAnyByteChanged(pack({ batch, kind, activation: floats, labels }));
  requireSameWithAnyByteChanged(pack({ kind, labels, activation: floats, batch }));
  requireSameWithAnyByteChanged(pack({ kind, activation: floats, batch, labels }));
});

test("the memory of a frame is written over once it has left, not before, and little of it is kept", () => {
  const codec = new FastCodec(limits);
  codec.encode(activation(300));
  const [first, second] = [codec.encode(activation(301)), codec.encode(activation(302))];
  expect(second.buffer).not.toBe(first.buffer);
  codec.reuse(first);
  expect(codec.encode(correction(303)).buffer).not.toBe(first.buffer);
  const third = codec.encode(withOtherValues(activation(304)));
  expect(third.buffer).toBe(first.buffer);
  expect([decoded(second), decoded(third)]).toEqual([activation(302), withOtherValues(activation(304))]);
  const many = Array.from({ length: 9 }, () => codec.encode(activation(305)));
  for (const bytes of many) codec.reuse(bytes);
  const again = Array.from({ length: 9 }, () => codec.encode(activation(306)).buffer);
  expect(many.filter(({ buffer }) => again.includes(buffer))).toHaveLength(4);
});

test("a frame that nobody would read is an error of whoever writes it, not of a peer", () => {
  const wrong = { ...activation(300), labels: byteTensor(3, 1) };
  const write = () => new FastCodec(limits).encode(wrong);
  expect(write).toThrow("Cannot write frame: Cannot read activation: labels has 3 rows");
  expect(write).not.toThrow(FrameError);
});

test("20,000 mutants, each after a frame that may be like it, are read as decode reads them", () => {
  const reader = new FastCodec(limits);
  const mutants = new Mutants(9);
  const whole = kinds.map(([, make]) => bytesOf(make(300)));
  let taken = 0;
  for (let n = 0; n < 20_000; n++) {
    reader.decode(whole[n % whole.length]!);
    if (typeof requireSame(reader, mutants.next()) === "object") taken++;
  }
  expect(taken).toBeGreaterThan(400);
});
