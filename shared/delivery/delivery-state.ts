import type { Inbox } from "./inbox.ts";
import type { BatchItem, Payloads } from "./items.ts";
import { type Standing, standingAt } from "./standing.ts";
import type { SuccessorState } from "./successor-state.ts";
import type { Working } from "./working.ts";

/** By batch, as far as it is known. */
export type Written = readonly (number | undefined)[];

/** Where a layer stands, and what it has heard and sent that is not settled. A crash leaves the cursor alone. */
export interface DeliveryState<P extends Payloads> extends Standing {
  /** Highest batch applied; −1 before the first. */
  readonly cursor: number;
  /** The cursor that it began with, or that it saved at the end of the run. */
  readonly durable: number;
  readonly predecessor: "away" | "linked";
  readonly successor: SuccessorState;
  readonly inbox: Inbox<P>;
  /** Locked only: forwarded, waiting for the true gradient, in order; at most `mostWorking`. */
  readonly working: readonly Working<P>[];
  /** Answers of batches `learnt` and on, which came before their turn: where that is pinned, or written. */
  readonly early: readonly HeardTarget<P>[];
  /** Unlocked only: applied last, by a guess of its input, whose correction has not come. */
  readonly guessed: BatchItem<P> | undefined;
  /** A checkpoint is not durable yet. */
  readonly isSaving: boolean;
  /** Asked for what it does not keep, it goes back to a checkpoint from which it can compute that anew. */
  readonly mayGoBack: boolean;
  /**
   * A rewind is under way: that many items may still arrive that were sent before it was heard. More, and it is
   * asked again.
   */
  readonly rewinding: number;
  readonly holding: boolean;
  /** Told to deal with nothing that comes from the predecessor, for a while: the window bounds what waits. */
  readonly paused: boolean;
  /** Head only: the evaluation being heard. */
  readonly evaluation: { readonly batch: number; readonly heard: number; readonly complete: boolean };
  readonly nextTicket: number;
  /** Free: of batches that a former life had applied, how many targets it had learnt before; it is done so again. */
  readonly written: Written;
}

/** The answer to the batch that was sent under this ticket. */
export interface HeardTarget<P extends Payloads> {
  readonly batch: number;
  readonly ticket: number;
  /** None where the answer was without numbers. */
  readonly target: P["target"] | undefined;
}

/** Of a layer whose checkpoint is of batch `cursor`. */
export function initialState<P extends Payloads>(
  cursor: number,
  standing: Standing = standingAt(cursor),
  mayGoBack = false,
  written: Written = [],
): DeliveryState<P> {
  return {
    ...standing,
    mayGoBack,
    isSaving: false,
    cursor,
    durable: cursor,
    predecessor: "away",
    successor: { phase: "away" },
    inbox: [],
    working: [],
    early: [],
    guessed: undefined,
    rewinding: 0,
    holding: false,
    paused: false,
    evaluation: { batch: -1, heard: 0, complete: false },
    nextTicket: 0,
    written,
  };
}

/** The batch a predecessor must send from: the lower of what this layer lacks and what it cannot send its successor. */
export function need({ corrected, successor }: DeliveryState<Payloads>): number {
  const own = corrected + 1;
  return successor.phase === "linked" && !successor.isFed ? Math.min(own, successor.need) : own;
}
