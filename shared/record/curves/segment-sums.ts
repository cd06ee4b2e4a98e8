import * as z from "zod";
import type { Segment } from "../lines.ts";
import type { Speaker } from "../worker-name.ts";

/**
 * What a worker has done with batches `first` to `last`, in sums: two that follow one upon the other make one, and
 * nothing is lost by it. A segment is what it comes to.
 */
export interface SegmentSums {
  readonly first: number;
  readonly last: number;
  readonly spanMs: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Head: Σ over the batches of their mean loss. */
  readonly loss?: number | undefined;
  /** Hidden layers: of the targets heard meanwhile; guesses s and targets t. */
  readonly targets?: TargetSums | undefined;
}

export interface TargetSums {
  readonly count: number;
  /** Σ of their ages, in batches. */
  readonly age: number;
  /** Σ (s − t)², Σ t², Σ s², Σ s · t. */
  readonly squaredError: number;
  readonly squaredTarget: number;
  readonly squaredGuess: number;
  readonly product: number;
}

export const noTargets: TargetSums = {
  count: 0,
  age: 0,
  squaredError: 0,
  squaredTarget: 0,
  squaredGuess: 0,
  product: 0,
};

export function addTargets(one: TargetSums, other: TargetSums): TargetSums {
  return {
    count: one.count + other.count,
    age: one.age + other.age,
    squaredError: one.squaredError + other.squaredError,
    squaredTarget: one.squaredTarget + other.squaredTarget,
    squaredGuess: one.squaredGuess + other.squaredGuess,
    product: one.product + other.product,
  };
}

export function follows(one: SegmentSums, next: SegmentSums): boolean {
  return one.last + 1 === next.first;
}

/** Throws unless `next` begins where `one` ends. */
export function mergeSums(one: SegmentSums, next: SegmentSums): SegmentSums {
  if (!follows(one, next))
    throw new Error(`Cannot merge segments: one ends at ${one.last}, the next begins at ${next.first}`);
  const isOfHead = one.loss !== undefined || next.loss !== undefined;
  const targets = addTargets(one.targets ?? noTargets, next.targets ?? noTargets);
  return {
    first: one.first,
    last: next.last,
    spanMs: one.spanMs + next.spanMs,
    at: next.at,
    ...(isOfHead && { loss: (one.loss ?? 0) + (next.loss ?? 0) }),
    ...(targets.count > 0 && { targets }),
  };
}

export function segmentOf(tally: SegmentSums, worker: Speaker, incarnation: number): Segment {
  const { first, last, spanMs, at, loss, targets } = tally;
  return {
    kind: "segment",
    worker,
    incarnation,
    at,
    first,
    last,
    spanMs: Math.round(spanMs * 1000) / 1000,
    ...(loss !== undefined && { loss: loss / (last - first + 1) }),
    ...(targets && figuresOf(targets)),
  };
}

/** A ratio whose divisor is zero is left out. */
export function figuresOf({ count, age, squaredError, squaredTarget, squaredGuess, product }: TargetSums): {
  readonly generatorError?: number;
  readonly cosine?: number;
  readonly staleness: number;
  readonly targets: number;
} {
  const sizes = Math.sqrt(squaredGuess) * Math.sqrt(squaredTarget);
  return {
    ...(squaredTarget > 0 && { generatorError: squaredError / squaredTarget }),
    ...(sizes > 0 && { cosine: product / sizes }),
    staleness: age / count,
    targets: count,
  };
}

const batch = z.number().int().nonnegative();

/** As it is kept in a checkpoint. */
export const TallySchema: z.ZodType<SegmentSums> = z.object({
  first: batch,
  last: batch,
  spanMs: z.number(),
  at: z.number(),
  loss: z.number().optional(),
  targets: z
    .object({
      count: z.number(),
      age: z.number(),
      squaredError: z.number(),
      squaredTarget: z.number(),
      squaredGuess: z.number(),
      product: z.number(),
    })
    .optional(),
});
