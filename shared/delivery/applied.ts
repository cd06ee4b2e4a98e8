import type { DeliveryState } from "./delivery-state.ts";
import type { Payloads } from "./items.ts";
import type { LayerEffect } from "./layer-effect.ts";
import type { Rules } from "./rules.ts";
import { standingOf } from "./standing.ts";

/** Once a batch is in the weights: where the layer stands then, and a checkpoint if it is time. */
export function applied<P extends Payloads>(
  { sentKept = 0, checkpointEvery, guessesInput, staleness }: Rules,
  before: DeliveryState<P>,
  batch: number,
): [DeliveryState<P>, LayerEffect<P>[]] {
  const state = {
    ...before,
    cursor: batch,
    firstSent: Math.max(before.firstSent, batch + 1 - sentKept),
    corrected: guessesInput && staleness !== undefined ? before.corrected : batch,
  };
  if (checkpointEvery === undefined || (batch + 1) % checkpointEvery !== 0) return [state, []];
  return [{ ...state, isSaving: true }, [{ effect: "checkpoint", at: standingOf(state) }]];
}
