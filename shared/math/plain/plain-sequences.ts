import type { LayerNormArrays, SequenceKernels } from "../sequence-kernels.ts";

/** √(2/π), and the cubic term of the approximation. */
const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

export const plainSequences: SequenceKernels = {
  layerNormForward,
  layerNormBackward,

  gelu(input, output, length) {
    for (let i = 0; i < length; i++) {
      const x = input[i]!;
      output[i] = 0.5 * x * (1 + Math.tanh(SCALE * (x + CUBIC * x * x * x)));
    }
  },

  geluBackward(input, outputGradient, inputGradient, length) {
    for (let i = 0; i < length; i++) {
      const x = input[i]!;
      const t = Math.tanh(SCALE * (x + CUBIC * x * x * x));
      const slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SCALE * (1 + 3 * CUBIC * x * x);
      inputGradient[i] = outputGradient[i]! * slope;
    }
  },

  causalSoftmax(scores, positions, scale) {
    for (let row = 0; row < positions; row++) {
      const start = row * positions;
      const end = start + row + 1;
      let largest = Number.NEGATIVE_INFINITY;
      for (let i = start; i < end; i++) largest = Math.max(largest, scores[i]!);
      let total = 0;
      for (let i = start; i < end; i++) total += scores[i] = Math.exp(scale * (scores[i]! - largest));
      for (let i = start; i < end; i++) scores[i] = scores[i]! / total;
      scores.fill(0, end, start + positions);
    }
  },

  causalSoftmaxBackward(weights, gradient, positions, scale) {
    for (let row = 0; row < positions; row++) {
      const start = row * positions;
      const end = start + row + 1;
      let along = 0;
      for (let i = start; i < end; i++) along += weights[i]! * gradient[i]!;
      for (let i = start; i < end; i++) gradient[i] = scale * weights[i]! * (gradient[i]! - along);
      gradient.fill(0, end, start + positions);
    }
  },

  swapPieces(from, to, { matrices, rows, columns, length }) {
    let at = 0;
    for (let matrix = 0; matrix < matrices; matrix++)
      for (let column = 0; column < columns; column++)
        for (let row = 0; row < rows; row++) {
          const start = ((matrix * rows + row) * columns + column) * length;
          for (let i = 0; i < length; i++) to[at++] = from[start + i]!;
        }
  },
};

function layerNormForward(norm: LayerNormArrays, input: Float32Array, output: Float32Array, rows: number) {
  const { columns, epsilon, gamma, normalised, inverse } = norm;
  for (let row = 0, start = 0; row < rows; row++, start += columns) {
    let sum = 0;
    for (let i = start; i < start + columns; i++) sum += input[i]!;
    const mean = sum / columns;
    let squares = 0;
    for (let i = start; i < start + columns; i++) squares += (input[i]! - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / columns + epsilon);
    inverse[row] = scale;
    for (let column = 0; column < columns; column++) {
      const x = (input[start + column]! - mean) * scale;
      normalised[start + column] = x;
      output[start + column] = x * gamma[column]!;
    }
  }
}

function layerNormBackward(
  { columns, gamma, gammaGradient, normalised, inverse }: LayerNormArrays,
  outputGradient: Float32Array,
  inputGradient: Float32Array,
  rows: number,
): void {
  gammaGradient.fill(0);
  for (let row = 0, start = 0; row < rows; row++, start += columns) {
    let sum = 0;
    let product = 0;
    for (let column = 0; column < columns; column++) {
      const at = start + column;
      const gradient = outputGradient[at]!;
      gammaGradient[column]! += gradient * normalised[at]!;
      sum += gradient * gamma[column]!;
      product += gradient * gamma[column]! * normalised[at]!;
    }
    const [mean, along] = [sum / columns, product / columns];
    for (let column = 0; column < columns; column++) {
      const at = start + column;
      const gradient = outputGradient[at]! * gamma[column]!;
      inputGradient[at] = (gradient - mean - normalised[at]! * along) * inverse[row]!;
    }
  }
}
