/** What a layer is told of its run, once and for all. */
export interface Rules {
  /** Batches in the run: 0 … batches − 1. */
  readonly batches: number;
  /** Most unanswered items on a link. */
  readonly window: number;
  /** The last layer has the loss and no successor. */
  readonly isHead: boolean;
  /** Backprop: an update waits for the true gradient. */
  readonly isLocked: boolean;
  /** Backprop: most batches passed forward that wait for theirs; 1 unless given. */
  readonly mostWorking?: number;
  /** Backprop with pinned staleness: before multiples of these all gradients are followed, however late they may be. */
  readonly settleEvery?: readonly number[];
  /**
   * Complete unlock: a batch goes on before it is worked on, and what it came to goes after it, as a correction.
   */
  readonly isUnlocked?: boolean;
  /** Unlocked, and not the first layer: it guesses its input. */
  readonly guessesInput?: boolean;
  /**
   * Pinned: the target of batch b − staleness is learnt just before b is applied. Absent: targets are learnt as
   * they come.
   */
  readonly staleness?: number;
  /** What was sent of so many batches is kept, and sent again as it was. */
  readonly sentKept?: number;
  /** See SourceRules. */
  readonly evaluateEvery?: number;
  /** A checkpoint is saved after batch n wherever n + 1 is a multiple of this. */
  readonly checkpointEvery?: number;
  /** See SourceRules. */
  readonly snapshotEvery?: number;
  /** Batches applied since the last target was learnt, before the layer holds. */
  readonly stalenessBudget: number;
}

/** Backprop that goes on before its gradients come: nothing that it sent is kept. */
export function isLate({ isLocked, sentKept }: Rules): boolean {
  return isLocked && sentKept === undefined;
}
