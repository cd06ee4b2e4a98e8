import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Closing } from "./news.ts";

const shape = z.object({
  run: z.string(),
  wallSeconds: z.number(),
  batches: z.number(),
  test: z.object({ loss: z.number(), error: z.number(), exact: z.number().optional() }),
});

/** What runs/<id>/summary.json says at the end of a run. Throws an Error when it cannot be read. */
export function readSummary(folder: string): Closing {
  const path = join(folder, "summary.json");
  try {
    const { test, ...rest } = shape.parse(JSON.parse(readFileSync(path, "utf8")));
    const { exact, ...result } = test;
    return { ...rest, test: exact === undefined ? result : { ...result, exact } };
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
