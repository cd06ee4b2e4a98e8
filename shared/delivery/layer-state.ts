import type { BatchItem, InFlight, Item } from "./items.ts";

/** Where a layer stands, and what it has heard and sent that is not settled. Of all this a crash leaves the cursor alone. */
export interface LayerState<F> {
  /** Highest batch applied; −1 before the first. */
  readonly cursor: number;
  readonly predecessor: "away" | "linked";
  readonly successor: Successor;
  /** Heard and not dealt with: at most `window` items, a correction behind each batch among them, and one end. */
  readonly inbox: readonly Item<F>[];
  /** Locked only: forwarded, waiting for the true gradient. */
  readonly working: BatchItem<F> | undefined;
  /** Pinned only: targets that came before their turn, at most `staleness`. */
  readonly early: readonly { readonly batch: number; readonly ticket: number; readonly target: F }[];
  /** Unlocked only: applied last, by a guess of its input, whose correction has not come. */
  readonly guessed: BatchItem<F> | undefined;
  readonly sinceTarget: number;
  /** A rewind is under way: that many items may still arrive that were sent before it was heard. More, and it is asked again. */
  readonly rewinding: number;
  readonly holding: boolean;
  /** Told to deal with nothing that comes from the predecessor, for a while: the window bounds what waits. */
  readonly paused: boolean;
  /** Head only: the evaluation being heard. */
  readonly evaluation: { readonly batch: number; readonly heard: number; readonly complete: boolean };
  readonly nextTicket: number;
}

/** `need`: the lowest batch the successor lacks; anything up to it may be sent, anything above would be a gap. */
export type Successor =
  | { readonly phase: "away" }
  | { readonly phase: "linked"; readonly need: number; readonly inFlight: readonly InFlight[] };

export function initialState<F>(cursor: number): LayerState<F> {
  return {
    cursor,
    predecessor: "away",
    successor: { phase: "away" },
    inbox: [],
    working: undefined,
    early: [],
    guessed: undefined,
    sinceTarget: 0,
    rewinding: 0,
    holding: false,
    paused: false,
    evaluation: { batch: -1, heard: 0, complete: false },
    nextTicket: 0,
  };
}

/** The batch a predecessor must send from: the lower of what this layer lacks and what its successor lacks. */
export function need<F>(state: LayerState<F>): number {
  const own = state.cursor + 1;
  return state.successor.phase === "linked" ? Math.min(own, state.successor.need) : own;
}
