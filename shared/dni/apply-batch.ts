import { rateAt } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import type { LayerOptions } from "./layer-options.ts";
import type { UpdateLottery } from "./update-lottery.ts";

/**
 * What makes a batch part of a layer, after its backward: its statistics are tracked, the weights descend, at a share of
 * their rate where one is given.
 */
export function applyBatch(
  transform: Transform,
  options: LayerOptions,
  turns: UpdateLottery,
  rows: number,
  batch: number,
  share = 1,
): void {
  transform.track(rows);
  const rate = share * rateAt(options.learning.layer, batch, options.batches);
  transform.descend(rate, rows, turns.next(batch));
}
