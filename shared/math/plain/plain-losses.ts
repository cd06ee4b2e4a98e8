import type { Loss } from "../kernels.ts";
import { sigmoid } from "../sigmoid.ts";

export function lossAndGradient(
  loss: Loss,
  logits: Float32Array,
  labels: Float32Array,
  gradient: Float32Array,
  rows: number,
  columns: number,
): number {
  switch (loss) {
    case "softmax-cross-entropy": {
      let sum = 0;
      for (let row = 0; row < rows; row++)
        sum += softmaxRow(logits, labels, gradient, row * columns, columns);
      return sum;
    }
    case "sigmoid-cross-entropy":
      return sigmoidCrossEntropy(logits, labels, gradient, rows * columns);
    case "mean-squared-error":
      return squaredError(logits, labels, gradient, rows * columns);
  }
}

/** Shifted by the largest logit, which changes nothing but keeps exp from overflowing. */
function softmaxRow(
  logits: Float32Array,
  labels: Float32Array,
  gradient: Float32Array,
  start: number,
  columns: number,
): number {
  const end = start + columns;
  let largest = -Infinity;
  for (let i = start; i < end; i++) largest = Math.max(largest, logits[i]!);
  let total = 0;
  for (let i = start; i < end; i++) total += Math.exp(logits[i]! - largest);
  const logTotal = largest + Math.log(total);
  let sum = 0;
  for (let i = start; i < end; i++) {
    const logProbability = logits[i]! - logTotal;
    sum -= labels[i]! * logProbability;
    gradient[i] = Math.exp(logProbability) - labels[i]!;
  }
  return sum;
}

function sigmoidCrossEntropy(
  logits: Float32Array,
  labels: Float32Array,
  gradient: Float32Array,
  length: number,
) {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const x = logits[i]!;
    sum += Math.max(x, 0) - x * labels[i]! + Math.log1p(Math.exp(-Math.abs(x)));
    gradient[i] = sigmoid(x) - labels[i]!;
  }
  return sum;
}

function squaredError(
  outputs: Float32Array,
  labels: Float32Array,
  gradient: Float32Array,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const difference = outputs[i]! - labels[i]!;
    sum += (difference * difference) / 2;
    gradient[i] = difference;
  }
  return sum;
}
