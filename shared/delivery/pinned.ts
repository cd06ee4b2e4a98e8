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

/** The same, as far as it is known beforehand: in a free run where a former life has applied the batch. */
export function knownDue(
  rules: Rules,
  { written }: Pick<DeliveryState<Payloads>, "written">,
  next: number,
): number | undefined {
  return rules.staleness === undefined ? written[next] : dueBefore(rules, next);
}

/** Whether the next batch is applied after just so many targets as before, or as pinned. */
export function isOrdered(rules: Rules, state: DeliveryState<Payloads>): boolean {
  return knownDue(rules, state, state.cursor + 1) !== undefined;
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
  return batch === lacking(state) && (hasNumbers || isSettled(state, batch));
}

/** Whether an answer without numbers is all that comes: the batch is not on its way again, nor will it be. */
export function isSettled({ successor }: DeliveryState<Payloads>, batch: number): boolean {
  if (successor.phase === "away") return false;
  return successor.need > batch && successor.inFlight.every((sent) => sent.batch !== batch);
}

/** Whether nothing is left to learn: not of the corrections and answers that come after the last batch, either. */
export function hasLearntAll(
  { batches, staleness, isLocked, isHead }: Rules,
  { cursor, corrected, learnt, successor }: DeliveryState<Payloads>,
): boolean {
  if (cursor < batches - 1 || corrected < cursor) return false;
  if (isLocked || isHead) return true;
  if (staleness !== undefined) return learnt === batches;
  return successor.phase === "linked" && successor.need >= batches && successor.inFlight.length === 0;
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

/** What the successor is to be sent from, once it says its need: also what is lacking of answers, as far as that is kept. */
export function firstNeeded(
  { isLocked, sentKept }: Rules,
  state: DeliveryState<Payloads>,
  need: number,
): number {
  const next = lacking(state);
  const isKept = sentKept !== undefined && state.firstSent <= next;
  return isLocked || !isKept ? need : Math.min(need, next);
}
