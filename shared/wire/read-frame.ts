import type {
  ActivationFrame,
  BarrierFrame,
  ChallengeFrame,
  CorrectionFrame,
  Dtype,
  EndFrame,
  FinishedFrame,
  Frame,
  GradientFrame,
  HelloFrame,
  LayerReport,
  PreviewFrame,
  QuestionFrame,
  RewindFrame,
  SavedLayer,
  SnapshotFrame,
  Tensor,
  TestResult,
  WelcomeFrame,
} from "./frames.ts";
import { Fields, readPair } from "./read-fields.ts";
import { DTYPE_BYTES } from "./tensor.ts";

/** Anything a person can read on one line: no control characters, no lone surrogates. */
const NAME = /^\P{C}{1,128}$/u;
/** A SHA-256, an HMAC, a nonce. */
const HEX_32_BYTES = /^[0-9a-f]{64}$/;
/** A snapshot's; files are called after it. */
const SNAPSHOT = /^\d{9,16}-[0-9a-f]{8}$/;
const DTYPES = ["f32", "f16", "bf16", "i8", "u8", "u16"] as const satisfies readonly Dtype[];
const SCALE_BYTES = 4;

const READERS: { readonly [Kind in Frame["kind"]]: (fields: Fields) => Extract<Frame, { kind: Kind }> } = {
  challenge: readChallenge,
  hello: readHello,
  welcome: readWelcome,
  activation: readActivation,
  preview: readPreview,
  correction: readCorrection,
  question: readQuestion,
  gradient: readGradient,
  rewind: readRewind,
  barrier: readBarrier,
  snapshot: readSnapshot,
  end: readEnd,
  finished: readFinished,
  release: () => ({ kind: "release" }),
};
const KINDS = Object.keys(READERS) as Frame["kind"][];

/**
 * A decoded value as a frame, in a fresh object with known fields only. Throws a FrameError that names the first
 * fault.
 */
export function readFrame(value: unknown): Frame {
  const kind = new Fields("frame", value).oneOf("kind", KINDS);
  const fields = new Fields(kind, value);
  fields.oneOf("kind", [kind]);
  const frame = READERS[kind](fields);
  fields.end();
  return frame;
}

function readChallenge(fields: Fields): ChallengeFrame {
  return {
    kind: "challenge",
    protocol: fields.integer("protocol"),
    nonce: fields.text("nonce", HEX_32_BYTES),
  };
}

function readHello(fields: Fields): HelloFrame {
  return {
    kind: "hello",
    protocol: fields.integer("protocol"),
    run: fields.text("run", NAME),
    from: fields.integer("from"),
    to: fields.integer("to"),
    incarnation: fields.integer("incarnation", 1),
    instance: fields.text("instance", NAME),
    configHash: fields.text("configHash", HEX_32_BYTES),
    width: fields.integer("width", 1),
    dtype: fields.oneOf("dtype", DTYPES),
    ...(fields.has("nonce") && { nonce: fields.text("nonce", HEX_32_BYTES) }),
    ...(fields.has("proof") && { proof: fields.text("proof", HEX_32_BYTES) }),
  };
}

function readWelcome(fields: Fields): WelcomeFrame {
  return {
    kind: "welcome",
    protocol: fields.integer("protocol"),
    run: fields.text("run", NAME),
    from: fields.integer("from"),
    incarnation: fields.integer("incarnation", 1),
    instance: fields.text("instance", NAME),
    configHash: fields.text("configHash", HEX_32_BYTES),
    need: fields.integer("need"),
    ...(fields.has("proof") && { proof: fields.text("proof", HEX_32_BYTES) }),
  };
}

function readActivation(fields: Fields): ActivationFrame {
  const activation = readTensor(fields.map("activation"));
  return {
    kind: "activation",
    batch: fields.integer("batch"),
    ...(fields.has("evaluation") && { evaluation: readEvaluation(fields.map("evaluation")) }),
    activation,
    labels: readLabels(fields, activation, "activation"),
    ...(fields.has("input") && { input: readRows(fields, "input", activation, "activation") }),
  };
}

function readPreview(fields: Fields): PreviewFrame {
  const input = readTensor(fields.map("input"));
  return {
    kind: "preview",
    batch: fields.integer("batch"),
    labels: readLabels(fields, input, "input"),
    input,
  };
}

function readCorrection(fields: Fields): CorrectionFrame {
  const activation = readTensor(fields.map("activation"));
  return { kind: "correction", batch: fields.integer("batch"), activation };
}

function readQuestion(fields: Fields): QuestionFrame {
  const activation = readTensor(fields.map("activation"));
  const [rows] = activation.shape;
  if (rows !== 1) fields.fault(`activation has ${rows} rows, a question has 1`);
  return { kind: "question", question: fields.integer("question"), activation };
}

function readEvaluation(fields: Fields): { part: number; parts: number } {
  const parts = fields.integer("parts", 1);
  const part = fields.integer("part", 0, parts - 1);
  fields.end();
  return { part, parts };
}

function readLabels(fields: Fields, beside: Tensor, what: string): Tensor {
  const labels = readRows(fields, "labels", beside, what);
  const { dtype } = labels;
  if (dtype !== "u8" && dtype !== "u16" && dtype !== "f32")
    fields.fault(`labels are ${dtype}, expected u8, u16 or f32`);
  return labels;
}

/** A tensor with one row for each row of the one beside it, which is called `what`. */
function readRows(fields: Fields, name: string, beside: Tensor, what: string): Tensor {
  const tensor = readTensor(fields.map(name));
  const rows = beside.shape[0];
  if (tensor.shape[0] !== rows) fields.fault(`${name} has ${tensor.shape[0]} rows, ${what} has ${rows}`);
  return tensor;
}

function readTensor(fields: Fields): Tensor {
  const dtype = fields.oneOf("dtype", DTYPES);
  const shape = fields.pair("shape", 1);
  const data = fields.bytes("data");
  const expected = shape[0] * shape[1] * DTYPE_BYTES[dtype];
  if (data.length !== expected) {
    fields.fault(`data has ${data.length} bytes, expected ${expected} for ${dtype} ${shape.join("×")}`);
  }
  const scaling = dtype === "u8" ? readScale(fields) : dtype === "i8" ? readScales(fields, shape[0]) : {};
  fields.end();
  return { dtype, shape, ...scaling, data };
}

function readScale(fields: Fields): { scale?: number } {
  return fields.has("scale") ? { scale: fields.finite("scale") } : {};
}

function readScales(fields: Fields, rows: number): { scales: Uint8Array } {
  const scales = fields.bytes("scales");
  const expected = rows * SCALE_BYTES;
  if (scales.length !== expected) {
    fields.fault(`scales has ${scales.length} bytes, expected ${expected} for ${rows} rows`);
  }
  return { scales };
}

function readGradient(fields: Fields): GradientFrame {
  const batch = fields.integer("batch");
  if (fields.has("part")) return { kind: "gradient", batch, part: fields.integer("part") };
  if (fields.has("snapshot")) return { kind: "gradient", batch, snapshot: fields.text("snapshot", SNAPSHOT) };
  if (!fields.has("gradient")) return { kind: "gradient", batch };
  const gradient = readTensor(fields.map("gradient"));
  if (gradient.dtype === "u8" || gradient.dtype === "u16")
    fields.fault(`gradient is ${gradient.dtype}, expected f32, f16, bf16 or i8`);
  return { kind: "gradient", batch, gradient };
}

function readRewind(fields: Fields): RewindFrame {
  return { kind: "rewind", need: fields.integer("need") };
}

function readBarrier(fields: Fields): BarrierFrame {
  const batch = fields.integer("batch", 1);
  const snapshot = fields.text("snapshot", SNAPSHOT);
  if (Number.parseInt(snapshot, 10) !== batch) fields.fault(`snapshot ${snapshot} is not of batch ${batch}`);
  return { kind: "barrier", batch, snapshot, kept: fields.list("kept", readName) };
}

function readName(of: string, value: unknown): string {
  return new Fields(of, { name: value }).text("name", SNAPSHOT);
}

function readSnapshot(fields: Fields): SnapshotFrame {
  const snapshot = fields.text("snapshot", SNAPSHOT);
  const saved = fields.list("saved", readSaved);
  return { kind: "snapshot", snapshot, saved, ...readTest(fields) };
}

function readSaved(of: string, value: unknown): SavedLayer {
  const fields = new Fields(of, value);
  const saved = { layer: fields.integer("layer", 1), digest: fields.text("digest", HEX_32_BYTES) };
  fields.end();
  return saved;
}

function readEnd(fields: Fields): EndFrame {
  return { kind: "end", batches: fields.integer("batches") };
}

function readFinished(fields: Fields): FinishedFrame {
  return { kind: "finished", reports: fields.list("reports", readReport), ...readTest(fields) };
}

function readTest(fields: Fields): { test?: TestResult } {
  return fields.has("test") ? { test: readTestResult(fields.map("test")) } : {};
}

function readReport(of: string, value: unknown): LayerReport {
  const fields = new Fields(of, value);
  const report = {
    layer: fields.integer("layer", 1),
    applied: fields.list("applied", readRange),
    restarts: fields.integer("restarts"),
    digest: fields.text("digest", HEX_32_BYTES),
  };
  fields.end();
  return report;
}

function readRange(of: string, value: unknown): readonly [number, number] {
  return readPair(of, value, 0);
}

function readCount(of: string, value: unknown): number {
  return new Fields(of, { value }).integer("value");
}

function readFigure(of: string, value: unknown): number {
  return new Fields(of, { value }).finite("value");
}

function readTestResult(fields: Fields): TestResult {
  const result = {
    loss: fields.finite("loss"),
    error: fields.finite("error"),
    ...(fields.has("exact") && { exact: fields.finite("exact") }),
    ...(fields.has("confusion") && { confusion: fields.list("confusion", readCount) }),
    ...(fields.has("bits") && { bits: fields.list("bits", readCount) }),
    ...(fields.has("rmse") && { rmse: fields.list("rmse", readFigure) }),
    ...(fields.has("r2") && { r2: fields.list("r2", readFigure) }),
  };
  fields.end();
  return result;
}
