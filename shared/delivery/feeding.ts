import type { DeliveryState } from "./delivery-state.ts";
import type { Payloads } from "./items.ts";
import type { Rules } from "./rules.ts";
import { hasRoom, type SuccessorState } from "./successor-state.ts";

/**
 * Whether this layer can send its successor all from `need` to its cursor by itself. Not where held-out data came between,
 * or the end behind: those only the source can send once more.
 */
export function canFeed(
  { sentKept, evaluateEvery = 0, batches, isHead }: Rules,
  { firstSent, cursor, working }: DeliveryState<Payloads>,
  need: number,
): boolean {
  if (sentKept === undefined || isHead || working.length > 0) return false;
  if (need > cursor || need < firstSent) return false;
  const last = cursor + 1;
  if (last === batches) return false;
  return (
    evaluateEvery === 0 ||
    Math.floor(last / evaluateEvery) === Math.floor(Math.max(0, need - 1) / evaluateEvery)
  );
}

/** The batch that is to be sent again now; undefined if there is none, or no room in the window. */
export function nextToFeed(rules: Rules, { successor, cursor }: DeliveryState<Payloads>): number | undefined {
  if (successor.phase === "away" || !successor.isFed || successor.need > cursor) return undefined;
  return hasRoom(rules, successor) ? successor.need : undefined;
}

/** Whether the successor gets what it lacks before `batch` without anything more from the predecessor. */
export function isCatchingUp(successor: SuccessorState, batch: number): boolean {
  return successor.phase === "linked" && successor.isFed && successor.need < batch;
}
