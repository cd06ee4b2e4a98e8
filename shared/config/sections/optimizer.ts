import * as z from "zod";
import { above, leaf, map, numberFrom, oneOf, wholeFrom } from "../../schema/fields.ts";
import type { OptimizerConfig, ScheduleConfig } from "../config.ts";
import type { ConfigPath } from "../mistake.ts";
import type { Notes } from "../notes.ts";

const expected = "constant, cosine, {kind: cosine, warmup: …, floor: …} or {kind: step, at: […], factor: …}";

export const schedule = leaf(expected, (error) =>
  z.union(
    [
      z.literal("constant"),
      z.literal("cosine"),
      map({
        kind: leaf("cosine", (error) => z.literal("cosine", error)).describe(
          "A rate that rises, then falls.",
        ),
        warmup: wholeFrom(0).optional().describe("Batches over which it rises. Default 0."),
        floor: numberFrom(0, 1)
          .optional()
          .describe("The share of the rate that is left at the end. Default 0."),
      }),
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
  optimizer: oneOf(["adam", "nadam", "sgd"])
    .default("adam")
    .describe("How weights follow their gradient; nadam is adam that looks a step of its momentum ahead."),
  momentum: leaf("a number from 0 up to, not including, 1", (error) =>
    z.number(error).gte(0, error).lt(1, error),
  )
    .optional()
    .describe("For sgd only. Default 0."),
  beta1: leaf("a number from 0 up to, not including, 1", (error) =>
    z.number(error).gte(0, error).lt(1, error),
  )
    .optional()
    .describe("For adam and nadam: how slowly they forget gradients. Default 0.9."),
  beta2: leaf("a number from 0 up to, not including, 1", (error) =>
    z.number(error).gte(0, error).lt(1, error),
  )
    .optional()
    .describe("For adam and nadam: how slowly they forget squares of gradients. Default 0.999."),
};

/** Of layers, not of generators. */
export const regularisation = {
  decay: numberFrom(0, 1).optional().describe("Weight decay of matrices, times the rate. Default 0."),
  clip: above(0).optional().describe("Largest norm of a layer's mean gradient. Default none."),
};

type WrittenSchedule = z.output<typeof schedule>;

interface WrittenOptimizer {
  readonly optimizer: OptimizerConfig["optimizer"];
  readonly rate: number;
  readonly momentum?: number | undefined;
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly decay?: number | undefined;
  readonly clip?: number | undefined;
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
  const { optimizer, rate, momentum = 0, beta1 = 0.9, beta2 = 0.999, decay = 0, clip } = written;
  for (const name of ["beta1", "beta2"] as const)
    if (written[name] !== undefined && optimizer === "sgd")
      notes.wrong([...path, name], written[name], "sgd has none, only adam and nadam have");
  return {
    ...{ optimizer, rate, momentum, schedule: completeSchedule(schedule) },
    ...(beta1 !== 0.9 && { beta1 }),
    ...(beta2 !== 0.999 && { beta2 }),
    ...(decay !== 0 && { decay }),
    ...(clip !== undefined && { clip }),
  };
}

function completeSchedule(schedule: WrittenSchedule): ScheduleConfig {
  if (typeof schedule === "string") return { kind: schedule };
  if (schedule.kind === "step") return schedule;
  const { kind, warmup = 0, floor = 0 } = schedule;
  return { kind, ...(warmup > 0 && { warmup }), ...(floor > 0 && { floor }) };
}
