import type { Loss } from "./kernels.ts";

/**
 * What an example is believed to be, from what the loss is given: of classes or bits the probability of each. Of a sequence,
 * with so many columns a position, what comes after its end. Undefined where the numbers ran away.
 */
export function beliefsOf(loss: Loss, outputs: Float32Array, columns: number): number[] | undefined {
  const beliefs = [...outputs.subarray(outputs.length - columns)];
  believe(loss, beliefs, columns);
  return beliefs.every(Number.isFinite) ? beliefs : undefined;
}

/** What the loss is given becomes probabilities, in place; values where the loss is the mean squared error. */
export function believe(loss: Loss, outputs: Float32Array | number[], columns: number): void {
  if (loss === "softmax-cross-entropy") softmax(outputs, columns);
  if (loss === "sigmoid-cross-entropy")
    for (let at = 0; at < outputs.length; at++) outputs[at] = 1 / (1 + Math.exp(-outputs[at]!));
}

/** Of each `columns` numbers. */
function softmax(values: Float32Array | number[], columns: number): void {
  for (let start = 0; start < values.length; start += columns) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = start; at < start + columns; at++) largest = Math.max(largest, values[at]!);
    let total = 0;
    for (let at = start; at < start + columns; at++) total += Math.exp(values[at]! - largest);
    for (let at = start; at < start + columns; at++) values[at] = Math.exp(values[at]! - largest) / total;
  }
}
