import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type Checkpoint,
  CheckpointError,
  CheckpointMismatch,
  decodeCheckpoint,
  encodeCheckpoint,
  requireIdentity,
} from "../../shared/checkpoint/checkpoint.ts";
import { decode, encode } from "../../shared/checkpoint/safetensors.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

/** A file as some other program might write it: any metadata, any floats, and a digest that is right. */
function forged(
  metadata: Record<string, string>,
  tensors: Record<string, Float32Array> = {},
  shapes: Record<string, readonly number[]> = {},
): Buffer {
  const zeros = "0".repeat(64);
  const bytes = encode({ tensors, metadata: { ...metadata, digest: zeros }, shapes });
  const digest = createHash("sha256").update(bytes).digest("hex");
  bytes.write(digest, bytes.indexOf(zeros));
  return bytes;
}

const {
  tensors: goodTensors,
  metadata: goodMetadata,
  shapes: goodShapes,
} = decode(encodeCheckpoint(sampleCheckpoint()));

test.each<[string, Partial<Checkpoint>]>([
  ["in the middle of a run", {}],
  ["before the first batch", { cursor: -1 }],
  ["with frames", { frames: { "sent.40.gradient": Uint8Array.of(0, 127, 128, 255) } }],
  ["at the end, with notes", { batches: 41, finished: true, notes: { generator: "4f 00", ü: "" } }],
  [
    "with every kind of float",
    { tensors: { a: Float32Array.of(-0, 1e-45, 3.4e38), b: new Float32Array(0) } },
  ],
])("a checkpoint %s comes back as it was", (_, changes) => {
  const checkpoint = sampleCheckpoint(changes);
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
});

test("comes back from a file that is older than shapes", () => {
  const { shapes: _, ...flat } = sampleCheckpoint();
  expect(decodeCheckpoint(forged(goodMetadata, flat.tensors))).toEqual(flat);
});

test("is a safetensors file that says in strings what it holds", () => {
  expect(goodTensors).toEqual(sampleCheckpoint().tensors);
  expect(goodShapes).toEqual({ "layer.weights": [2, 3] });
  expect(goodMetadata).toMatchObject({ layer: "2", cursor: "40", ledger: "[[0,40]]", finished: "false" });
});

test("its digest is the SHA-256 of the file with zeros in the digest's place", () => {
  expect(forged(goodMetadata, goodTensors, goodShapes)).toEqual(encodeCheckpoint(sampleCheckpoint()));
});

test("no bit of it can be flipped unnoticed", () => {
  const bytes = encodeCheckpoint(sampleCheckpoint());
  const unnoticed: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (!isRefused(bytes)) unnoticed.push(bit);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  expect(unnoticed).toEqual([]);
  expect(isRefused(bytes)).toBe(false);
});

test("cannot be cut short at any length, nor made longer", () => {
  const bytes = encodeCheckpoint(sampleCheckpoint());
  const lengths = Array.from(bytes.keys());
  expect(lengths.filter((length) => !isRefused(bytes.subarray(0, length)))).toEqual([]);
  expect(isRefused(Buffer.concat([bytes, Buffer.alloc(8)]))).toBe(true);
});

function isRefused(bytes: Uint8Array): boolean {
  try {
    decodeCheckpoint(bytes);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return true;
  }
}

describe("is not written", () => {
  test.each<[string, Partial<Checkpoint>, string]>([
    ["with NaN in a tensor", { tensors: { w: Float32Array.of(1, Number.NaN) } }, "tensor w has NaN at 1"],
    ["with infinity in a tensor", { tensors: { w: Float32Array.of(-1e39) } }, "tensor w has -Infinity at 0"],
    ["with NaN in a counter", { counters: { step: Number.NaN } }, "counter step is NaN"],
    ["with a cursor its ledger denies", { ledger: [[0, 39]] }, "cursor is 40, its ledger ends at 39"],
    ["with a cursor beyond the run", { batches: 40 }, "cursor is 40, the run has 40 batches"],
    ["with half a cursor", { cursor: 0.5 }, "cursor is 0.5"],
    ["with a negative incarnation", { incarnation: -1 }, "incarnation is -1"],
  ])("%s", (_, changes, reason) => {
    expect(() => encodeCheckpoint(sampleCheckpoint(changes))).toThrow(`Cannot write checkpoint: ${reason}`);
  });
});

test("a number that is not finite is found wherever in a tensor it is", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (let at = 0; at < 9; at++) {
      const w = Float32Array.from({ length: 9 }, (_, n) => (n === at ? value : -3e38));
      expect(() => encodeCheckpoint(sampleCheckpoint({ tensors: { w } }))).toThrow(`w has ${value} at ${at}`);
    }
  }
});

describe("is not read, even if its digest is right,", () => {
  test.each<[string, Record<string, string>, Record<string, Float32Array>, string]>([
    ["with NaN in a tensor", {}, { w: Float32Array.of(Number.NaN) }, "tensor w has NaN at 0"],
    ["without a word it needs", { cursor: "soon" }, {}, "cursor"],
    ["with a ledger that is none", { ledger: "[[5,3]]" }, {}, "Cannot read ledger: [5,3] is not a range"],
    ["with a ledger that is not JSON", { ledger: "[[" }, {}, "JSON"],
  ])("%s", (_, changes, tensors, reason) => {
    const bytes = forged({ ...goodMetadata, ...changes }, tensors);
    expect(() => decodeCheckpoint(bytes)).toThrow(CheckpointError);
    expect(() => decodeCheckpoint(bytes)).toThrow(reason);
  });

  test("nor is a safetensors file that never was a checkpoint", () => {
    const reason = "its header does not begin with a digest";
    const other = { who: "me", digest: "0".repeat(64) };
    expect(() => decodeCheckpoint(encode({ tensors: goodTensors, metadata: {} }))).toThrow(reason);
    expect(() => decodeCheckpoint(encode({ tensors: goodTensors, metadata: other }))).toThrow(reason);
  });
});

test("of a later version is whole, but not for this program", () => {
  const bytes = forged({ ...goodMetadata, version: "2", novelty: "yes" });
  expect(() => decodeCheckpoint(bytes)).toThrow(CheckpointMismatch);
  expect(() => decodeCheckpoint(bytes)).toThrow("its version is 2, this program reads 1");
});

test.each([
  ["run", "premiere", "its checkpoint is of run rehearsal, this is run premiere"],
  ["layer", 1, "its checkpoint is of layer 2, this is layer 1"],
  ["configHash", "decaf", "its checkpoint is of configuration c0ffee, this is configuration decaf"],
])("of another %s is refused by name", (key, value, reason) => {
  const checkpoint = sampleCheckpoint();
  expect(() => requireIdentity(checkpoint, { ...checkpoint, [key]: value })).toThrow(CheckpointMismatch);
  expect(() => requireIdentity(checkpoint, { ...checkpoint, [key]: value })).toThrow(reason);
  expect(() => requireIdentity(checkpoint, checkpoint)).not.toThrow();
});
