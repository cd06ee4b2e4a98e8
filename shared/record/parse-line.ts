import * as z from "zod";
import type { TestResult } from "../wire/frames.ts";
import type { EventLine, MetricLine } from "./lines.ts";
import { isSpeaker, isWorkerName, type Speaker, type WorkerName } from "./worker-name.ts";

export const countSchema = z.int().nonnegative();
export const batchSchema = z.int().min(-1);
export const figureSchema = z.number().nonnegative();
export const phraseSchema = z.string().max(2000);
/** Names of events and states: a newer version may say others. */
export const wordSchema = z.string().regex(/^[a-z]{1,32}$/);
export const workerSchema = z.custom<WorkerName>((name) => typeof name === "string" && isWorkerName(name));

const figuresSchema = z.array(z.number()).max(1024);

/** What an evaluation on held-out data found. */
export const testSchema: z.ZodType<TestResult> = z.object({
  loss: z.number(),
  error: z.number(),
  exact: z.number().exactOptional(),
  confusion: figuresSchema.exactOptional(),
  bits: figuresSchema.exactOptional(),
  rmse: figuresSchema.exactOptional(),
  r2: figuresSchema.exactOptional(),
});

const said = {
  worker: z.custom<Speaker>((name) => typeof name === "string" && isSpeaker(name)),
  incarnation: countSchema,
  at: z.number(),
};

const segment = z
  .object({
    kind: z.literal("segment"),
    ...said,
    first: countSchema,
    last: countSchema,
    spanMs: figureSchema,
    loss: z.number().optional(),
    generatorError: figureSchema.optional(),
    cosine: z.number().optional(),
    staleness: figureSchema.optional(),
    targets: figureSchema.optional(),
  })
  .refine(({ first, last }) => first <= last, "first is above last");

const evaluation = z.object({
  kind: z.literal("evaluation"),
  ...said,
  batch: countSchema,
  test: testSchema,
});

const event = z.object({
  kind: z.literal("event"),
  ...said,
  name: wordSchema,
  about: workerSchema.optional(),
  batch: batchSchema.optional(),
  text: phraseSchema,
});

const line = z.discriminatedUnion("kind", [segment, evaluation, event]);

/** Undefined where it is no line of a record. */
export function parseLine(value: unknown): MetricLine | EventLine | undefined {
  return line.safeParse(value).data as MetricLine | EventLine | undefined;
}
