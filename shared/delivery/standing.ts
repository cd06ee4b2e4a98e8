/** What a layer must know of its delivery to go on from a checkpoint as if it had never stopped. */
export interface Standing {
  /** Batches applied since the last target was learnt. */
  readonly sinceTarget: number;
  /** So many targets were learnt: those of batches 0 … learnt − 1, but in free runs for those that were lost with a link. */
  readonly learnt: number;
  /** Of the input of batches up to this one nothing is left to learn. */
  readonly corrected: number;
  /** What was sent of batches from this one to the cursor is kept. */
  readonly firstSent: number;
}

/** Of a layer that has learnt all there is to learn up to batch `cursor`, and keeps nothing. */
export function standingAt(cursor: number): Standing {
  return { sinceTarget: 0, learnt: cursor + 1, corrected: cursor, firstSent: cursor + 1 };
}

export function standingOf({ sinceTarget, learnt, corrected, firstSent }: Standing): Standing {
  return { sinceTarget, learnt, corrected, firstSent };
}
