import { rateAt } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import type { LayerOptions } from "./layer-options.ts";

/** What makes a batch part of a layer, after its backward: its statistics are tracked, the weights descend. */
export function applyBatch(transform: Transform, options: LayerOptions, rows: number, batch: number): void {
  transform.track(rows);
  // Batches are applied exactly once and in order, so their number is the optimizer's count of steps too.
  transform.descend(rateAt(options.learning.layer, batch, options.batches), rows, batch + 1);
}
