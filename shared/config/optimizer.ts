import * as z from "zod";
import { above, leaf, map, oneOf, wholeFrom } from "../schema/fields.ts";
import type { OptimizerConfig, ScheduleConfig } from "./config.ts";
import type { ConfigPath } from "./mistake.ts";
import type { Notes } from "./notes.ts";

export const schedule = leaf("constant, cosine or {kind: step, at: […], factor: …}", (error) =>
  z.union(
    [
      z.literal("constant"),
      z.literal("cosine"),
      map({
        kind: leaf("step", (error) => z.literal("step", error)).describe("A rate that falls in steps."),
        at: leaf("a list of batches", (error) => z.array(wholeFrom(1), error).min(1, error)).describe(
          "At these batches the rate is multiplied by the factor.",
        ),
        factor: above(0).describe("What it is multiplied by."),
      }),
    ],
    error,
  ),
);

export const descent = {
  optimizer: oneOf(["adam", "sgd"]).default("adam").describe("How weights follow their gradient."),
  momentum: leaf("a number from 0 up to, not including, 1", (error) =>
    z.number(error).gte(0, error).lt(1, error),
  )
    .optional()
    .describe("For sgd only. Default 0."),
};

type WrittenSchedule = z.output<typeof schedule>;

interface WrittenOptimizer {
  readonly optimizer: OptimizerConfig["optimizer"];
  readonly rate: number;
  readonly momentum?: number | undefined;
}

export function completeOptimizer(
  written: WrittenOptimizer,
  schedule: WrittenSchedule,
  path: ConfigPath,
  notes: Notes,
): OptimizerConfig {
  if (written.momentum !== undefined && written.optimizer !== "sgd") {
    notes.wrong([...path, "momentum"], written.momentum, `${written.optimizer} has none, only sgd has`);
  }
  return {
    optimizer: written.optimizer,
    rate: written.rate,
    momentum: written.momentum ?? 0,
    schedule: completeSchedule(schedule),
  };
}

function completeSchedule(schedule: WrittenSchedule): ScheduleConfig {
  return typeof schedule === "string" ? { kind: schedule } : schedule;
}
