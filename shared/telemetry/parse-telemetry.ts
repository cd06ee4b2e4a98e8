import * as z from "zod";
import {
  batchSchema as batch,
  countSchema as count,
  figureSchema as figure,
  parseLine,
  phraseSchema as phrase,
  wordSchema as word,
  workerSchema,
} from "../record/parse-line.ts";
import { MOMENTS, PICTURES } from "../record/seen.ts";
import { isWorkerName, type WorkerName } from "../record/worker-name.ts";
import type { Numbered, ToHub } from "./messages.ts";

/** A message is refused beyond it: an introduction holds a whole config, a log line the stack of an error. */
export const MOST_MESSAGE_BYTES = 256 * 1024;

/** Of an answer: an image of 128 × 128 pixels. */
export const MOST_FIGURES = 16_384;

const name = z.custom<WorkerName | "train">(
  (value) => typeof value === "string" && (value === "train" || isWorkerName(value)),
);
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const logLine = z.object({ kind: z.literal("log"), text: z.string().max(64 * 1024) });

const progress = z.object({
  kind: z.literal("progress"),
  worker: workerSchema,
  incarnation: count,
  // Of a newer version's worker, say: what it is called is shown as it is.
  state: word,
  batch,
  batches: count,
  perSecond: figure,
  loss: z.number().optional(),
  generatorError: figure.optional(),
  cosine: z.number().optional(),
  alarm: phrase.optional(),
  staleness: figure.optional(),
  inFlight: count.optional(),
  window: count.optional(),
  bytesSent: figure,
  bytesReceived: figure,
  durable: batch.optional(),
  rssBytes: figure,
  keptBytes: figure.optional(),
});

const MOST_PICTURE = 64;
const pictureSchema = z
  .object({
    of: z.tuple([count, count]),
    rows: count.max(MOST_PICTURE),
    columns: count.max(MOST_PICTURE),
    values: z.array(z.number()).max(MOST_PICTURE ** 2),
  })
  .refine(({ rows, columns, values }) => values.length === rows * columns, "a picture lacks values");

const seen = z.object({
  kind: z.literal("seen"),
  look: count,
  batch,
  learns: z.enum(["decoupled", "local", "head", "locked", "late"]).optional(),
  moments: z.partialRecord(z.enum(MOMENTS), figure),
  rows: count.optional(),
  loss: z.number().optional(),
  cosine: z.number().optional(),
  generatorError: figure.optional(),
  staleness: figure.optional(),
  moved: z
    .array(z.object({ name: z.string().max(200), by: figure, from: figure }))
    .max(64)
    .optional(),
  pictures: z.partialRecord(z.enum(PICTURES), pictureSchema).optional(),
  refusal: phrase.optional(),
});

const toHub = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("introduction"),
    protocol: count,
    run: z.string().max(200),
    worker: name,
    incarnation: count,
    instance: z.uuid(),
    pid: count,
    port: z.int().min(0).max(65535),
    control: z.boolean(),
    questions: z.boolean().optional(),
    looks: z.boolean().optional(),
    config: z.string(),
    node: z.string().max(253).optional(),
    store: z.string().max(2000).optional(),
    versions: z.object({ node: z.string().max(100), kernels: z.string().max(100) }),
    nonce: hex.optional(),
    proof: hex.optional(),
  }),
  z.object({ kind: z.literal("line"), seq: count, line: z.unknown() }),
  z.object({ kind: z.literal("standing"), progress, dropped: count }),
  z.object({
    kind: z.literal("answer"),
    question: count,
    batch,
    beliefs: z.array(z.number()).max(MOST_FIGURES).optional(),
    input: z.array(z.number()).max(MOST_FIGURES).optional(),
    labels: z.array(z.number()).max(MOST_FIGURES).optional(),
    refusal: phrase.optional(),
  }),
  seen,
  z.object({ kind: z.literal("goodbye"), why: z.enum(["finished", "stopped", "fenced", "failed"]) }),
]);

/** What a worker may say, but that a line may be nonsense: its number counts all the same, or it would be sent without end. */
export type Heard =
  | Exclude<ToHub, Numbered>
  | { readonly kind: "line"; readonly seq: number; readonly line: Line | undefined };
export type Line = Numbered["line"];

/** Throws an Error that names the first thing wrong with it. */
export function parseTelemetry(text: string): Heard {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("that is no JSON");
  }
  const { data, error } = toHub.safeParse(value);
  if (data?.kind === "line") return { ...data, line: asLine(data.line) };
  if (data !== undefined) return data as Exclude<ToHub, Numbered>;
  const { path, message } = error.issues[0]!;
  throw new Error(`${path.join(".")}: ${message}`);
}

/** Undefined where it is none. */
function asLine(value: unknown): Line | undefined {
  return parseLine(value) ?? logLine.safeParse(value).data;
}
