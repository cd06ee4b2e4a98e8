import type { Nonlinearity } from "../math/kernels.ts";
import { flag, oneOf } from "../schema/fields.ts";

const nonlinearities = ["identity", "relu", "sigmoid", "tanh"] as const satisfies readonly Nonlinearity[];

/** Entries of kinds that end in f(norm(…)). */
export const activated = {
  nonlinearity: oneOf(nonlinearities)
    .optional()
    .describe("Default relu; identity in the head, whose loss takes plain sums."),
  batchNorm: flag()
    .optional()
    .describe(
      "Batch normalisation before the nonlinearity, of each unit or channel. Default true; false in the head.",
    ),
};

/** Most floats of an example that a layer may take or give. */
export const MOST_FLOATS = 65_536;

/** Floats that f(norm(a · weight)) learns for a weight of `length` × `width`. */
export function countParameters(length: number, width: number, batchNorm: boolean): number {
  // Batch norm has a scale and a shift for each output, and makes a bias superfluous.
  return length * width + width * (batchNorm ? 2 : 1);
}
