import type { Kernels } from "../kernels.ts";
import type { Optimizer } from "../optimizer.ts";
import { type Parameter, parameterOf } from "../parameter.ts";

const EPSILON = 1e-5;

/** What the backward pass needs of a forward pass: rows × columns, and one float a row. */
export interface NormTrace {
  /** (x − mean) / √(variance + ε). */
  readonly normalised: Float32Array;
  /** 1 / √(variance + ε). */
  readonly inverse: Float32Array;
}

/**
 * Layer normalisation (Ba et al. 2016, equation 3) with a gain and no shift: each row of `columns` floats gets mean 0 and
 * variance 1, times gamma. It has no running statistics, so evaluation is the same arithmetic.
 */
export class LayerNorm {
  readonly gamma: Parameter;
  readonly #columns: number;

  constructor(kernels: Kernels, columns: number, optimizer: Optimizer) {
    this.#columns = columns;
    this.gamma = parameterOf(kernels, columns, optimizer);
    this.gamma.value.fill(1);
  }

  /** Room for the trace of at most `rows` rows. */
  trace(kernels: Kernels, rows: number): NormTrace {
    return { normalised: kernels.allocate(rows * this.#columns), inverse: kernels.allocate(rows) };
  }

  /** input → output, rows × columns each; `output` may be `input`. */
  forward(input: Float32Array, output: Float32Array, rows: number, { normalised, inverse }: NormTrace): void {
    const columns = this.#columns;
    const gamma = this.gamma.value;
    for (let row = 0, start = 0; row < rows; row++, start += columns) {
      const { mean, scale } = statisticsOf(input, start, columns);
      inverse[row] = scale;
      for (let column = 0; column < columns; column++) {
        const x = (input[start + column]! - mean) * scale;
        normalised[start + column] = x;
        output[start + column] = x * gamma[column]!;
      }
    }
  }

  /**
   * outputGradient: dL/d(output) → dL/d(input); leaves gamma's gradient, summed over the rows. `inputGradient` may be
   * `outputGradient`.
   */
  backward(
    outputGradient: Float32Array,
    inputGradient: Float32Array,
    rows: number,
    { normalised, inverse }: NormTrace,
  ): void {
    const columns = this.#columns;
    const { value: gamma, gradient: gammaGradient } = this.gamma;
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
}

function statisticsOf(input: Float32Array, start: number, columns: number): { mean: number; scale: number } {
  let sum = 0;
  for (let i = start; i < start + columns; i++) sum += input[i]!;
  const mean = sum / columns;
  let squares = 0;
  for (let i = start; i < start + columns; i++) squares += (input[i]! - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(squares / columns + EPSILON) };
}
