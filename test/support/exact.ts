import { expect } from "vitest";
import type { Summary } from "../../shared/record/summary.ts";

/** Every layer has applied every batch once, in order. */
export function expectExact({ batches, layers }: Pick<Summary, "batches" | "layers">): void {
  for (const { layer, applied } of layers)
    expect({ layer, applied }).toEqual({ layer, applied: [[0, batches - 1]] });
}
