import { pack } from "msgpackr";
import * as withoutEval from "msgpackr/index-no-eval";
import { describe, expect, test } from "vitest";
import { CONTROL_FRAME_BYTES, decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode, type Frame, MOST_LAYERS } from "../../shared/wire/frames.ts";
import {
  activation,
  byteTensor,
  correction,
  countingTensor,
  hello,
  preview,
  welcome,
} from "../support/frames.ts";

const limits = { maxFrameBytes: 1 << 20 };
const sha256 = "0123456789abcdef".repeat(4);
const snapshot = "000000400-0a1b2c3d";
const report = { layer: 1, applied: [[0, 99] as const], restarts: 2, digest: sha256 };

const oneOfEach: Frame[] = [
  hello,
  welcome,
  activation(41),
  { ...activation(42), evaluation: { part: 2, parts: 3 } },
  { ...activation(43), input: { dtype: "u8", shape: [2, 3], scale: 1 / 255, data: new Uint8Array(6) } },
  { ...preview(44), input: { dtype: "u8", shape: [2, 3], scale: 1 / 255, data: new Uint8Array(6) } },
  correction(44),
  { ...correction(45), activation: byteTensor(2, 4) },
  { kind: "question", question: 2 ** 40, activation: countingTensor(1, 4) },
  { kind: "question", question: 1, activation: byteTensor(1, 4) },
  { kind: "gradient", batch: 41, gradient: countingTensor(2, 4) },
  { kind: "gradient", batch: 41, gradient: byteTensor(2, 4) },
  { kind: "gradient", batch: 2, gradient: { dtype: "f16", shape: [2, 3], data: new Uint8Array(12) } },
  { kind: "gradient", batch: 3, gradient: { dtype: "bf16", shape: [1, 1], data: new Uint8Array(2) } },
  { kind: "gradient", batch: 2 ** 40 },
  { kind: "gradient", batch: 400, part: 0 },
  { kind: "gradient", batch: 400, snapshot },
  { kind: "rewind", need: 17 },
  { kind: "barrier", batch: 400, snapshot, kept: [] },
  { kind: "barrier", batch: 400, snapshot, kept: ["000000200-00000000", "000000300-ffffffff"] },
  { kind: "snapshot", snapshot, saved: [{ layer: 3, digest: sha256 }] },
  { kind: "snapshot", snapshot, saved: [], test: { loss: 0.25, error: 0.0156 } },
  { kind: "end", batches: 1000 },
  { kind: "finished", reports: [report], test: { loss: 0.25, error: 0.0156, exact: 0.9 } },
  { kind: "finished", reports: [] },
  { kind: "release" },
];

/** Anything as bytes, past every check of `encode`. */
function bytesOf(value: unknown): Buffer {
  return pack(value);
}

function refusal(value: unknown): string {
  return refusalOfBytes(bytesOf(value));
}

function refusalOfBytes(bytes: Uint8Array): string {
  try {
    decode(bytes, limits);
  } catch (error) {
    if (error instanceof FrameError) return error.message;
    throw error;
  }
  return "taken";
}

describe("a frame", () => {
  test.each(oneOfEach.map((frame) => [frame.kind, frame] as const))("%s survives the wire", (_, frame) => {
    // A clone turns the Buffers that the decoder hands out into Uint8Arrays.
    expect(structuredClone(decode(encode(frame), limits))).toEqual(frame);
  });

  test("is one plain MessagePack map, as any language writes it", () => {
    const byHand = Buffer.concat([
      Buffer.from([0x82, 0xa4]),
      Buffer.from("kind"),
      Buffer.from([0xa6]),
      Buffer.from("rewind"),
      Buffer.from([0xa4]),
      Buffer.from("need"),
      Buffer.from([0xcd, 0x01, 0x2c]),
    ]);
    expect(encode({ kind: "rewind", need: 300 })).toEqual(byHand);
    expect(decode(byHand, limits)).toEqual({ kind: "rewind", need: 300 });
  });

  test("carries tensors as binary, without extensions", () => {
    const bytes = encode({ kind: "gradient", batch: 1, gradient: countingTensor(1, 2) });
    // bin8 of 8 bytes: 0 and 1/8 as little-endian float32.
    expect(bytes.toString("hex")).toContain("a464617461c40800000000" + "0000003e");
  });

  test("keeps its bytes while others are encoded after it", () => {
    const first = encode(activation(1, 64, 256));
    const before = Buffer.from(first);
    for (let batch = 2; batch < 200; batch++) encode(activation(batch, 64, 256));
    expect(first.equals(before)).toBe(true);
  });

  test("is read by a decoder without native code and without code generation", () => {
    expect(withoutEval.isNativeAccelerationEnabled).toBe(false);
  });
});

describe("a frame is refused, with the field and what was found,", () => {
  const good = activation(7);
  const floats = good.activation;
  const ints = byteTensor(2, 4);
  const cases: [string, unknown, string][] = [
    [
      "an unknown kind",
      { kind: "labels" },
      'Cannot read frame: kind is "labels", expected challenge or hello or',
    ],
    ["no kind", { batch: 1 }, "Cannot read frame: kind is missing"],
    ["not a map", [1], "Cannot read frame: it is [1], expected a map"],
    ["a broken batch", { ...good, batch: 1.5 }, "Cannot read activation: batch is 1.5, expected an integer"],
    ["NaN for a batch", { ...good, batch: Number.NaN }, "batch is NaN"],
    ["a negative batch", { ...good, batch: -1 }, "batch is -1, expected 0 to"],
    ["a batch beyond 2^53", { ...good, batch: 2n ** 53n }, "batch is 9007199254740992"],
    ["a batch of 2^64 − 1", { ...good, batch: 2n ** 64n - 1n }, "batch is 18446744073709552000"],
    ["text for a number", { kind: "rewind", need: "3" }, 'Cannot read rewind: need is "3"'],
    [
      "a snapshot that would name a file elsewhere",
      { kind: "barrier", batch: 1, snapshot: "../000000001-00000000", kept: [] },
      'snapshot is "../000000001-00000000"',
    ],
    [
      "one among the kept that would",
      { kind: "barrier", batch: 400, snapshot, kept: ["x"] },
      "Cannot read barrier.kept[0]",
    ],
    [
      "a snapshot of another batch",
      { kind: "barrier", batch: 401, snapshot, kept: [] },
      "is not of batch 401",
    ],
    ["a known field in the wrong kind", { kind: "rewind", need: 3, batch: 3 }, "it has a field batch"],
    ["an unknown dtype", withTensor({ ...floats, dtype: "f64" }), 'dtype is "f64", expected f32 or f16 or'],
    [
      "a shape of three",
      withTensor({ ...floats, shape: [2, 2, 2] }),
      "it is [2, 2, 2], expected two integers",
    ],
    ["a shape of zero rows", withTensor({ ...floats, shape: [0, 4] }), "it is [0, 4]"],
    ["a shape that overflows", withTensor({ ...floats, shape: [2 ** 40, 2 ** 40] }), "data has 32 bytes"],
    [
      "data one byte short",
      withTensor({ ...floats, data: floats.data.slice(1) }),
      "data has 31 bytes, expected 32 for f32 2×4",
    ],
    ["data as a list", withTensor({ ...floats, data: [1, 2] }), "data is [1, 2], expected bytes"],
    [
      "a scale beside floats",
      withTensor({ ...floats, scale: 1 }),
      "activation.activation: it has a field scale",
    ],
    ["scales beside floats", withTensor({ ...floats, scales: ints.scales }), "it has a field scales"],
    ["one scale for rows of ints", withTensor({ ...ints, scale: 1 }), "it has a field scale"],
    [
      "rows of ints without scales",
      withTensor({ ...floats, dtype: "i8", data: ints.data }),
      "scales is missing",
    ],
    ["scales as a list", withTensor({ ...ints, scales: [1, 1] }), "scales is [1, 1], expected bytes"],
    [
      "a scale too few",
      withTensor({ ...ints, scales: new Uint8Array(4) }),
      "scales has 4 bytes, expected 8 for 2 rows",
    ],
    [
      "halves of the length of floats",
      withTensor({ ...floats, dtype: "f16" }),
      "data has 32 bytes, expected 16 for f16 2×4",
    ],
    [
      "an infinite scale",
      { ...good, labels: { ...good.labels, scale: Number.POSITIVE_INFINITY } },
      "scale is Infinity",
    ],
    [
      "labels as narrow floats",
      { ...good, labels: { ...floats, dtype: "f16", data: floats.data.subarray(0, floats.data.length / 2) } },
      "Cannot read activation: labels are f16, expected u8, u16 or f32",
    ],
    [
      "labels of other rows",
      { ...good, labels: { dtype: "u8", shape: [1, 2], data: new Uint8Array(2) } },
      "labels has 1 rows, activation has 2",
    ],
    [
      "a preview with fewer labels than inputs",
      { ...preview(7), labels: { dtype: "u8", shape: [1, 1], data: new Uint8Array(1) } },
      "labels has 1 rows, input has 2",
    ],
    [
      "a preview with an activation",
      { ...preview(7), activation: floats },
      "Cannot read preview: it has a field activation",
    ],
    [
      "a question of two rows",
      { kind: "question", question: 1, activation: countingTensor(2, 4) },
      "Cannot read question: activation has 2 rows, a question has 1",
    ],
    [
      "a correction with labels",
      { ...correction(7), labels: good.labels },
      "Cannot read correction: it has a field labels",
    ],
    [
      "a part beyond the parts",
      { ...good, evaluation: { part: 3, parts: 3 } },
      "Cannot read activation.evaluation: part is 3, expected 0 to 2",
    ],
    [
      "a gradient of bytes",
      { kind: "gradient", batch: 1, gradient: good.labels },
      "gradient is u8, expected f32",
    ],
    ["a nil field", { kind: "rewind", need: null }, "need is null"],
    ["an incarnation before the first", { ...hello, incarnation: 0 }, "incarnation is 0, expected 1 to"],
    ["a run with a line break", { ...hello, run: "a\nb" }, 'run is "a\\nb"'],
    ["a short hash", { ...hello, configHash: "ab" }, 'configHash is "ab"'],
    [
      "a range of one",
      { kind: "finished", reports: [{ ...report, applied: [[1]] }] },
      "Cannot read finished.reports[0].applied[0]",
    ],
    [
      "reports that are no maps",
      { kind: "finished", reports: [7] },
      "finished.reports[0]: it is 7, expected a map",
    ],
  ];

  function withTensor(tensor: unknown): unknown {
    return { ...good, activation: tensor };
  }

  test.each(cases)("for %s", (_, value, reason) => {
    expect(refusal(value)).toContain(reason);
    expect(refusal(value)).not.toContain("\n");
  });

  test("but not for −0, which becomes 0", () => {
    const minusZero = Buffer.concat([
      Buffer.from("82a46b696e64a6", "hex"),
      Buffer.from("rewind"),
      Buffer.from("a46e656564cb8000000000000000", "hex"),
    ]);
    expect(decode(minusZero, limits)).toEqual({ kind: "rewind", need: 0 });
  });
});

describe("the length of a frame", () => {
  test("may reach its limit, and no byte more", () => {
    const bytes = encode(activation(1));
    expect(decode(bytes, { maxFrameBytes: bytes.length }).kind).toBe("activation");
    expect(() => decode(bytes, { maxFrameBytes: bytes.length - 1 })).toThrow(
      `Cannot read frame: it has ${bytes.length} bytes, at most ${bytes.length - 1} are allowed`,
    );
  });

  test("leaves room for all that is told of as many layers as a network may have", () => {
    const layers = Array.from({ length: MOST_LAYERS }, (_, index) => index + 1);
    const applied = [[0, 2 ** 53 - 1] as const];
    const reports = layers.map((layer) => ({ layer, applied, restarts: 2 ** 32, digest: sha256 }));
    const saved = layers.map((layer) => ({ layer, digest: sha256 }));
    const told: Frame[] = [
      { kind: "finished", reports, test: { loss: 0.25, error: 0.0156, exact: 0.9 } },
      { kind: "snapshot", snapshot, saved },
    ];
    for (const frame of told) {
      const bytes = encode(frame);
      expect(bytes.length).toBeLessThan(CONTROL_FRAME_BYTES);
      expect(decode(bytes, limits)).toEqual(frame);
    }
    const tooMany = encode({ kind: "snapshot", snapshot, saved: [...saved, saved[0]!] });
    expect(() => decode(tooMany, limits)).toThrow("an array has 1025 items, at most 1024 are allowed");
  });
});

test("a refusal without its own code closes as a bad frame", () => {
  expect(new FrameError("Cannot read frame: x").code).toBe(CloseCode.badFrame);
});
