import type { AdamStep, Kernels, Nonlinearity, PatchShape, SgdStep } from "../kernels.ts";
import { sigmoid } from "../sigmoid.ts";
import {
  batchNormBackward,
  batchNormEvaluate,
  batchNormForward,
  batchNormTrack,
} from "./plain-batch-norm.ts";
import { plainCasts } from "./plain-casts.ts";
import { lossAndGradient } from "./plain-losses.ts";
import { multiply } from "./plain-multiply.ts";
import { plainSequences } from "./plain-sequences.ts";

/**
 * The kernels as plain loops: they run anywhere, and are what every other set is tested against. Sums are kept
 * in double precision and rounded once, in an order that depends neither on the number of rows nor on the tiling.
 */
export function plainKernels(): Kernels {
  return {
    name: "plain",
    allocate: (length) => new Float32Array(length),
    multiply,
    addBias,
    sumRows,
    unfold,
    fold,
    add,
    subtract,
    activate,
    activateBackward,
    batchNormForward,
    batchNormTrack,
    batchNormEvaluate,
    batchNormBackward,
    lossAndGradient,
    adam,
    sgd,
    dot,
    compare,
    scale,
    isWithin,
    ...plainCasts,
    ...plainSequences,
  };
}

function addBias(matrix: Float32Array, bias: Float32Array, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let column = 0; column < columns; column++) matrix[start + column]! += bias[column]!;
  }
}

function sumRows(matrix: Float32Array, sums: Float32Array, rows: number, columns: number): void {
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += matrix[row * columns + column]!;
    sums[column] = sum;
  }
}

function unfold(images: Float32Array, patches: Float32Array, shape: PatchShape, rows: number): void {
  const sources = patchSources(shape);
  const size = shape.height * shape.width * shape.channels;
  for (let row = 0, i = 0; row < rows; row++)
    for (const source of sources) patches[i++] = source < 0 ? 0 : images[row * size + source]!;
}

function fold(patches: Float32Array, images: Float32Array, shape: PatchShape, rows: number): void {
  const sources = patchSources(shape);
  const size = shape.height * shape.width * shape.channels;
  images.fill(0, 0, rows * size);
  for (let row = 0, i = 0; row < rows; row++) {
    for (const source of sources) {
      if (source >= 0) images[row * size + source]! += patches[i]!;
      i++;
    }
  }
}

/** Where each float of an image's patches lies in the image; −1 outside of it. */
function patchSources({ height, width, channels, kernel, stride, padding }: PatchShape): Int32Array {
  const sources: number[] = [];
  for (let top = -padding; top + kernel <= height + padding; top += stride)
    for (let left = -padding; left + kernel <= width + padding; left += stride)
      for (let y = top; y < top + kernel; y++)
        for (let x = left; x < left + kernel; x++)
          for (let channel = 0; channel < channels; channel++) {
            const isInside = y >= 0 && y < height && x >= 0 && x < width;
            sources.push(isInside ? (y * width + x) * channels + channel : -1);
          }
  return Int32Array.from(sources);
}

function add(a: Float32Array, b: Float32Array, sum: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) sum[i] = a[i]! + b[i]!;
}

function subtract(a: Float32Array, b: Float32Array, difference: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) difference[i] = a[i]! - b[i]!;
}

function activate(
  nonlinearity: Nonlinearity,
  input: Float32Array,
  output: Float32Array,
  length: number,
): void {
  switch (nonlinearity) {
    case "identity":
      for (let i = 0; i < length; i++) output[i] = input[i]!;
      return;
    case "relu":
      // Math.max lets NaN through; `x > 0 ? x : 0` would hide it behind a zero.
      for (let i = 0; i < length; i++) output[i] = Math.max(0, input[i]!);
      return;
    case "sigmoid":
      for (let i = 0; i < length; i++) output[i] = sigmoid(input[i]!);
      return;
    case "tanh":
      for (let i = 0; i < length; i++) output[i] = Math.tanh(input[i]!);
      return;
  }
}

function activateBackward(
  nonlinearity: Nonlinearity,
  output: Float32Array,
  outputGradient: Float32Array,
  inputGradient: Float32Array,
  length: number,
): void {
  switch (nonlinearity) {
    case "identity":
      for (let i = 0; i < length; i++) inputGradient[i] = outputGradient[i]!;
      return;
    case "relu":
      for (let i = 0; i < length; i++) inputGradient[i] = output[i]! > 0 ? outputGradient[i]! : 0;
      return;
    case "sigmoid":
      for (let i = 0; i < length; i++) inputGradient[i] = outputGradient[i]! * output[i]! * (1 - output[i]!);
      return;
    case "tanh":
      for (let i = 0; i < length; i++) inputGradient[i] = outputGradient[i]! * (1 - output[i]! * output[i]!);
      return;
  }
}

function adam(
  parameters: Float32Array,
  gradient: Float32Array,
  firstMoment: Float32Array,
  secondMoment: Float32Array,
  length: number,
  options: AdamStep,
): void {
  const { rate, scale, beta1, beta2, epsilon, step } = options;
  const firstCorrection = 1 / (1 - beta1 ** step);
  const secondCorrection = 1 / (1 - beta2 ** step);
  for (let i = 0; i < length; i++) {
    const g = gradient[i]! * scale;
    const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
    const v = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameters[i]! -= (rate * m * firstCorrection) / (Math.sqrt(v * secondCorrection) + epsilon);
  }
}

function sgd(
  parameters: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array,
  length: number,
  options: SgdStep,
): void {
  const { rate, scale, momentum } = options;
  for (let i = 0; i < length; i++) {
    const moved = momentum * velocity[i]! + gradient[i]! * scale;
    velocity[i] = moved;
    parameters[i]! -= rate * moved;
  }
}

function dot(a: Float32Array, b: Float32Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function compare(guess: Float32Array, target: Float32Array, difference: Float32Array, length: number) {
  subtract(guess, target, difference, length);
  return {
    squaredError: dot(difference, difference, length),
    squaredTarget: dot(target, target, length),
    squaredGuess: dot(guess, guess, length),
    product: dot(guess, target, length),
  };
}

function scale(values: Float32Array, factor: number, length: number): void {
  for (let i = 0; i < length; i++) values[i]! *= factor;
}

function isWithin(values: Float32Array, length: number, limit: number): boolean {
  for (let i = 0; i < length; i++) {
    // Not `> limit`: every comparison with NaN is false.
    if (!(Math.abs(values[i]!) <= limit)) return false;
  }
  return true;
}
