import * as z from "zod";
import type { Numbered, ToHub } from "./messages.ts";

/** A message is refused beyond it: an introduction holds a whole config, a log line the stack of an error. */
export const MOST_MESSAGE_BYTES = 256 * 1024;

const count = z.int().nonnegative();
const batch = z.int().min(-1);
const figure = z.number().nonnegative();
const name = z.string().regex(/^(source|train|layer[1-9]\d{0,3})$/);
/** The hub itself says events too. */
const speaker = z.string().regex(/^(source|train|hub|layer[1-9]\d{0,3})$/);
const phrase = z.string().max(2000);
const said = { worker: speaker, incarnation: count, at: z.number() };
const hex = z.string().regex(/^[0-9a-f]{64}$/);

const result = z.object({ loss: z.number(), error: z.number(), exact: z.number().optional() });

const segment = z
  .object({
    kind: z.literal("segment"),
    ...said,
    first: count,
    last: count,
    spanMs: figure,
    loss: z.number().optional(),
    generatorError: figure.optional(),
    cosine: z.number().optional(),
    staleness: figure.optional(),
    targets: figure.optional(),
  })
  .refine(({ first, last }) => first <= last, "first is above last");

const evaluation = z.object({ kind: z.literal("evaluation"), ...said, batch: count, test: result });

const event = z.object({
  kind: z.literal("event"),
  ...said,
  name: z.string().regex(/^[a-z]{1,32}$/),
  about: name.optional(),
  batch: batch.optional(),
  text: phrase,
});

const logLine = z.object({ kind: z.literal("log"), text: z.string().max(64 * 1024) });

const progress = z.object({
  kind: z.literal("progress"),
  worker: name,
  incarnation: count,
  // Of a newer version's worker, say: what it is called is shown as it is.
  state: z.string().regex(/^[a-z]{1,32}$/),
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
});

const line = z.discriminatedUnion("kind", [segment, evaluation, event, logLine]);

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
    config: z.string(),
    versions: z.object({ node: z.string().max(100), kernels: z.string().max(100) }),
    nonce: hex.optional(),
    proof: hex.optional(),
  }),
  z.object({ kind: z.literal("line"), seq: count, line: z.unknown() }),
  z.object({ kind: z.literal("standing"), progress, dropped: count }),
  z.object({ kind: z.literal("goodbye"), why: z.enum(["finished", "stopped", "fenced", "failed"]) }),
]);

/** What a worker may say, but that a line may be nonsense: its number counts all the same, or it would be said for ever. */
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
export function asLine(value: unknown): Line | undefined {
  return line.safeParse(value).data as Line | undefined;
}
