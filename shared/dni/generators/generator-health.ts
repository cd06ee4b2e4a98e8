import type { Comparison, Kernels } from "../../math/kernels.ts";

/** How good a guess s was, given the target t that came for it; sums over the batch. */
export interface GeneratorHealth extends Comparison {
  /** Of the angle between s and t; 0 where either is zero. */
  readonly cosine: number;
}

/** `difference` becomes s − t; each of the three holds at least `length` floats. */
export function healthOf(
  kernels: Kernels,
  guess: Float32Array,
  target: Float32Array,
  difference: Float32Array,
  length: number,
): GeneratorHealth {
  const found = kernels.compare(guess, target, difference, length);
  const sizes = Math.sqrt(found.squaredGuess * found.squaredTarget);
  return { ...found, cosine: sizes > 0 ? found.product / sizes : 0 };
}
