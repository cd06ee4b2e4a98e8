import * as z from "zod";
import { leaf, map, wholeFrom } from "../../schema/fields.ts";
import type { DeliveryConfig, Method } from "../config.ts";
import type { Notes } from "../notes.ts";

export const deliveryFields = map({
  window: wholeFrom(1)
    .optional()
    .describe(
      "Unanswered activations on a link. Default 4, or the staleness where that is more. For backprop 1, or the staleness; above 1 it does not wait for its gradients, which then come late.",
    ),
  schedule: leaf("free or {staleness: …}", (error) =>
    z.union(
      [
        z.literal("free"),
        map({
          staleness: wholeFrom(1).describe(
            "Target of batch b − staleness is learnt just before batch b; for backprop, its gradient is followed then.",
          ),
        }),
      ],
      error,
    ),
  )
    .default("free")
    .describe("free takes gradients as they come; a pinned staleness makes a run repeatable to the bit."),
  stalenessBudget: wholeFrom(1)
    .default(64)
    .describe(
      "Batches a layer may learn without hearing a gradient, before it holds; fewer where what it would have to send again takes more than 64 MiB.",
    ),
})
  .prefault({})
  .describe("How far neighbours may run apart.");

/** `mixes`: layers wait for every target, to mix it with their guess. */
export function completeDelivery(
  { window, schedule, stalenessBudget }: z.output<typeof deliveryFields>,
  method: Method,
  mixes: boolean,
  notes: Notes,
): DeliveryConfig {
  const staleness = schedule === "free" ? 0 : schedule.staleness;
  const path = ["delivery", "window"];
  if (mixes) {
    if (window !== undefined && window !== 1) {
      notes.wrong(path, window, "a mixture waits for every gradient, its window is 1");
    }
    if (staleness > 1) {
      const what = "a mixture waits for every gradient, its staleness is 1";
      notes.wrong(["delivery", "schedule", "staleness"], staleness, what);
    }
    return { window: 1, schedule, stalenessBudget };
  }
  if (window !== undefined && window < staleness) {
    notes.wrong(path, window, `a staleness of ${staleness} needs as many unanswered activations`);
  }
  const complete = window ?? Math.max(method === "backprop" ? 1 : 4, staleness);
  if (method !== "backprop" && stalenessBudget < complete) {
    const what = `layers hold before a window of ${complete} is full`;
    notes.doubtful(["delivery", "stalenessBudget"], stalenessBudget, what);
  }
  return { window: complete, schedule, stalenessBudget };
}
