import type { BatchNormArrays } from "../kernels.ts";

export function batchNormForward(
  norm: BatchNormArrays,
  input: Float32Array,
  output: Float32Array,
  rows: number,
): void {
  const { columns, epsilon, gamma, beta, batchMean, batchVariance, normalised } = norm;
  const end = rows * columns;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let i = column; i < end; i += columns) sum += input[i]!;
    const mean = sum / rows;
    let squares = 0;
    for (let i = column; i < end; i += columns) squares += (input[i]! - mean) ** 2;
    const variance = squares / rows;
    batchMean[column] = mean;
    batchVariance[column] = variance;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    for (let i = column; i < end; i += columns) {
      const value = (input[i]! - mean) * inverse;
      normalised[i] = value;
      output[i] = gamma[column]! * value + beta[column]!;
    }
  }
}

/** The running variance is the unbiased estimate, rows / (rows − 1) times the batch's (algorithm 2, step 10). */
export function batchNormTrack(norm: BatchNormArrays, momentum: number, rows: number): void {
  const { columns, runningMean, runningVariance, batchMean, batchVariance } = norm;
  const unbiased = rows / Math.max(1, rows - 1);
  for (let column = 0; column < columns; column++) {
    runningMean[column]! += momentum * (batchMean[column]! - runningMean[column]!);
    runningVariance[column]! += momentum * (unbiased * batchVariance[column]! - runningVariance[column]!);
  }
}

export function batchNormEvaluate(
  norm: BatchNormArrays,
  input: Float32Array,
  output: Float32Array,
  rows: number,
): void {
  const { columns, epsilon, gamma, beta, runningMean, runningVariance } = norm;
  const end = rows * columns;
  for (let column = 0; column < columns; column++) {
    const factor = gamma[column]! / Math.sqrt(runningVariance[column]! + epsilon);
    const shift = beta[column]! - runningMean[column]! * factor;
    for (let i = column; i < end; i += columns) output[i] = input[i]! * factor + shift;
  }
}

/** The batch's mean and variance depend on every example, so each input gradient loses its share of both sums. */
export function batchNormBackward(
  norm: BatchNormArrays,
  outputGradient: Float32Array,
  inputGradient: Float32Array,
  rows: number,
): void {
  const { columns, epsilon, gamma, gammaGradient, betaGradient, batchVariance, normalised } = norm;
  const end = rows * columns;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let projected = 0;
    for (let i = column; i < end; i += columns) {
      sum += outputGradient[i]!;
      projected += outputGradient[i]! * normalised[i]!;
    }
    betaGradient[column] = sum;
    gammaGradient[column] = projected;
    const factor = gamma[column]! / Math.sqrt(batchVariance[column]! + epsilon);
    for (let i = column; i < end; i += columns) {
      inputGradient[i] = factor * (outputGradient[i]! - (sum + normalised[i]! * projected) / rows);
    }
  }
}
