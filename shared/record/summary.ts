import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Config } from "../config/config.ts";
import type { LayerReport, TestResult } from "../wire/frames.ts";
import { batchSchema, countSchema, figureSchema, testSchema } from "./parse-line.ts";
import type { TextLoss } from "./text-loss.ts";

/** What is left of a run when it is over: runs/<id>/summary.json. */
export interface Summary {
  readonly run: string;
  readonly config: Config;
  readonly seed: number;
  readonly startedAt: string;
  /** From the first start of the source to the end, pauses included. */
  readonly wallSeconds: number;
  readonly batches: number;
  readonly test: TestResult;
  /** The loss of the test in other words, where the data are a text. */
  readonly text?: TextLoss;
  readonly layers: readonly LayerReport[];
  readonly source: { readonly restarts: number };
  readonly versions: { readonly node: string };
}

const summarySchema = z.looseObject({
  run: z.string(),
  startedAt: z.string(),
  wallSeconds: figureSchema,
  batches: countSchema,
  test: testSchema,
  layers: z.array(
    z.object({
      layer: countSchema,
      applied: z.array(z.tuple([batchSchema, batchSchema])),
      restarts: countSchema,
      digest: z.string(),
    }),
  ),
  versions: z.object({ node: z.string() }),
});

/** A file of a record that is there and cannot be used. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

export function isFinished(folder: string): boolean {
  return statSync(join(folder, "summary.json"), { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Of a run that has finished. Throws a RecordError where it cannot be read. */
export function readSummary(folder: string): Summary {
  const path = join(folder, "summary.json");
  try {
    return summarySchema.parse(JSON.parse(readFileSync(path, "utf8"))) as unknown as Summary;
  } catch (error) {
    throw new RecordError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
