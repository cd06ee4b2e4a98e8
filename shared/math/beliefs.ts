import type { Loss } from "./kernels.ts";

/**
 * What an example is believed to be, from what the loss is given: of classes or bits the probability of each. Of a sequence,
 * with so many columns a position, what comes after its end. Undefined where the numbers ran away.
 */
export function beliefsOf(loss: Loss, outputs: Float32Array, columns: number): number[] | undefined {
  const beliefs = probabilities(loss, [...outputs.subarray(outputs.length - columns)]);
  return beliefs.every(Number.isFinite) ? beliefs : undefined;
}

function probabilities(loss: Loss, values: number[]): number[] {
  switch (loss) {
    case "softmax-cross-entropy":
      return softmax(values);
    case "sigmoid-cross-entropy":
      return values.map((value) => 1 / (1 + Math.exp(-value)));
    default:
      return values;
  }
}

function softmax(values: readonly number[]): number[] {
  const largest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
