/** When a decoupled layer learns from which targets. All else that it does follows from what its neighbours say. */
export interface Order {
  /** Before it applies batch `next` it has learnt the targets of all batches below this. */
  dueBefore(next: number): number;
  /** Most batches whose target is still to be learnt, the one that was applied last among them. */
  readonly reach: number;
}

/** The target of batch b − D is learnt just before batch b. Throws a RangeError unless D is a whole number from 1. */
export function pinnedOrder(staleness: number): Order {
  if (!(Number.isInteger(staleness) && staleness >= 1))
    throw new RangeError(`Cannot pin the staleness: ${staleness} is not a whole number from 1`);
  return { dueBefore: (next) => next - staleness + 1, reach: staleness };
}

/** As a run has done it; `learnt[b]`: how many targets it had learnt before it applied batch b. */
export function recordedOrder(learnt: ArrayLike<number>): Order {
  let reach = 1;
  for (let batch = 0; batch < learnt.length; batch++) reach = Math.max(reach, batch - learnt[batch]! + 1);
  return { dueBefore: (next) => learnt[next] ?? 0, reach };
}
