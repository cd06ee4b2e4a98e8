import type { DeliveryState } from "./delivery-state.ts";
import type { Payloads } from "./items.ts";
import type { Rules } from "./rules.ts";

/**
 * Pinned: how many targets a layer has learnt just before it applies batch `next`. Known beforehand, so that a life that
 * applies a batch anew learns the same before it. Where there is a snapshot, all before it are learnt, whether it comes
 * about or not.
 */
export function dueBefore({ staleness = 1, snapshotEvery = 0 }: Rules, next: number): number {
  const snapshot = snapshotEvery > 0 ? next - (next % snapshotEvery) : 0;
  return Math.max(0, snapshot, next - staleness + 1);
}

/** Pinned: the lowest batch whose answer was not heard. */
export function lacking({ learnt, early }: DeliveryState<Payloads>): number {
  return learnt + early.length;
}

/**
 * Pinned: whether an answer is the one that is due, and not one of a batch that comes again: such were answered without
 * numbers because earlier ones had to come first.
 */
export function isDue(state: DeliveryState<Payloads>, batch: number, hasNumbers: boolean): boolean {
  const { successor } = state;
  if (batch !== lacking(state) || successor.phase === "away") return false;
  return hasNumbers || (successor.need > batch && successor.inFlight.every((sent) => sent.batch !== batch));
}

/** Whether nothing is left to learn: pinned, also not of the answers and corrections that come after the last batch. */
export function hasLearntAll(
  { batches, staleness, isLocked, isHead }: Rules,
  { cursor, corrected, learnt }: DeliveryState<Payloads>,
): boolean {
  if (cursor < batches - 1 || corrected < cursor) return false;
  return staleness === undefined || isLocked || isHead || learnt === batches;
}

/** Pinned: a checkpoint of the batch before is not durable yet, and this one is to be saved, too. */
export function isHeldToSave(
  { staleness, checkpointEvery }: Rules,
  isSaving: boolean,
  batch: number,
): boolean {
  if (staleness === undefined || checkpointEvery === undefined) return false;
  return isSaving && (batch + 1) % checkpointEvery === 0;
}

/** What the successor is to be sent from, once it says its need: pinned, also what its answers are lacking of. */
export function firstNeeded(
  { staleness, isLocked }: Rules,
  state: DeliveryState<Payloads>,
  need: number,
): number {
  return staleness === undefined || isLocked ? need : Math.min(need, lacking(state));
}
