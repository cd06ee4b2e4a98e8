import { rateAt } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import type { LayerOptions } from "./layer-options.ts";
import type { UpdateLottery } from "./update-lottery.ts";

/** What makes a batch part of a layer, after its backward: its statistics are tracked, the weights descend. */
export function applyBatch(
  transform: Transform,
  options: LayerOptions,
  turns: UpdateLottery,
  rows: number,
  batch: number,
): void {
  transform.track(rows);
  transform.descend(rateAt(options.learning.layer, batch, options.batches), rows, turns.next(batch));
}
