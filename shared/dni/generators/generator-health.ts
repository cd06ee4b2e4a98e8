import type { Kernels } from "../../math/kernels.ts";

/** How good a guess s was, given the target t that came for it; sums over the batch. */
export interface GeneratorHealth {
  /** Σ (s − t)², the differences in single precision. */
  readonly squaredError: number;
  /** Σ t²: what guessing zero would have cost. */
  readonly squaredTarget: number;
  /** Σ s² and Σ s · t, for the cosine over several batches. */
  readonly squaredGuess: number;
  readonly product: number;
  /** Of the angle between s and t; 0 where either is zero. */
  readonly cosine: number;
}

/** `difference` becomes s − t; each of the three holds at least `length` floats. */
export function healthOf(
  { dot, subtract }: Kernels,
  guess: Float32Array,
  target: Float32Array,
  difference: Float32Array,
  length: number,
): GeneratorHealth {
  subtract(guess, target, difference, length);
  const squaredTarget = dot(target, target, length);
  const squaredGuess = dot(guess, guess, length);
  const product = dot(guess, target, length);
  const sizes = Math.sqrt(squaredGuess * squaredTarget);
  return {
    squaredError: dot(difference, difference, length),
    squaredTarget,
    squaredGuess,
    product,
    cosine: sizes > 0 ? product / sizes : 0,
  };
}
