import { type BatchNorm, batchNormOf, RUNNING_MOMENTUM } from "./batch-norm.ts";
import { exactly } from "./exactly.ts";
import type { Kernels, Nonlinearity } from "./kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";
import {
  descendAll,
  memoriesOf,
  type Parameter,
  type Parameters,
  parameterOf,
  type Tensors,
} from "./parameter.ts";
import { normal, seededRandom } from "./random.ts";
import type { Transform } from "./transform.ts";

export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly nonlinearity: Nonlinearity;
  readonly batchNorm: boolean;
  /** Examples in the largest batch. */
  readonly maxRows: number;
  /** The first weights are drawn from seed and layer number, and nothing else. */
  readonly seed: number;
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

/**
 * output = f(norm(input · weight)), or f(input · weight + bias) without batch norm, where beta would be a second bias.
 * `weight` is inputs × outputs. Every array is made in the constructor; those returned are the layer's own, with
 * exactly rows × width floats, valid until the next call of the same method.
 */
export class DenseLayer implements Transform {
  readonly #kernels: Kernels;
  readonly #options: DenseOptions;
  readonly #optimizer: Optimizer;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #norm: BatchNorm | undefined;
  readonly #learning: readonly Parameter[];
  readonly #affine: Float32Array;
  readonly #output: Float32Array;
  readonly #evaluated: Float32Array;
  readonly #affineGradient: Float32Array;
  readonly #inputGradient: Float32Array;
  /** What the last forward saw; its arrays are the caller's, who keeps them as they are until backward. */
  #last: { readonly input: Float32Array; readonly rows: number } | undefined;

  constructor(kernels: Kernels, options: DenseOptions) {
    const { inputs, outputs, maxRows, batchNorm } = options;
    this.#kernels = kernels;
    this.#options = options;
    this.#optimizer = optimizerOf(options.optimizer);
    this.#weight = parameterOf(kernels, inputs * outputs, this.#optimizer);
    this.#bias = batchNorm ? undefined : parameterOf(kernels, outputs, this.#optimizer);
    this.#norm = batchNorm ? batchNormOf(kernels, outputs, maxRows, this.#optimizer) : undefined;
    this.#learning = Object.values(this.#parameters());
    this.#output = kernels.allocate(maxRows * outputs);
    this.#affine = batchNorm ? kernels.allocate(maxRows * outputs) : this.#output;
    // Evaluations come between a forward and its backward, and must leave both alone.
    this.#evaluated = kernels.allocate(maxRows * outputs);
    this.#affineGradient = kernels.allocate(maxRows * outputs);
    this.#inputGradient = kernels.allocate(maxRows * inputs);
    this.#drawWeights();
  }

  /** input: rows × inputs → output: rows × outputs. Throws a RangeError for more rows than the layer has room for. */
  forward(input: Float32Array, rows: number): Float32Array {
    const { outputs, nonlinearity } = this.#options;
    this.#multiplyWeights(input, rows, this.#affine);
    if (this.#norm) this.#kernels.batchNormForward(this.#norm.arrays, this.#affine, this.#output, rows);
    this.#kernels.activate(nonlinearity, this.#output, this.#output, rows * outputs);
    this.#last = { input, rows };
    return exactly(this.#output, rows * outputs);
  }

  /** Takes the batch of the last forward into the running statistics. Apart from forward, so that one can try without. */
  track(rows: number): void {
    if (this.#norm) this.#kernels.batchNormTrack(this.#norm.arrays, RUNNING_MOMENTUM, rows);
  }

  /** The output with running statistics; disturbs no forward that waits for its backward. */
  evaluate(input: Float32Array, rows: number): Float32Array {
    const { outputs, nonlinearity } = this.#options;
    const output = this.#evaluated;
    this.#multiplyWeights(input, rows, output);
    if (this.#norm) this.#kernels.batchNormEvaluate(this.#norm.arrays, output, output, rows);
    this.#kernels.activate(nonlinearity, output, output, rows * outputs);
    return exactly(output, rows * outputs);
  }

  /**
   * outputGradient: dL/d(output) of the last forward, per example, rows × outputs → dL/d(input), rows × inputs, if
   * wanted. Leaves each parameter's gradient, summed over the rows, for `descend`. Goes through the weights as they
   * stand: call it before `descend`. Throws an Error unless the last forward had as many rows.
   */
  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined {
    if (this.#last?.rows !== rows) {
      throw new Error(`Cannot go backward: ${rows} rows, the last forward had ${this.#last?.rows ?? "none"}`);
    }
    const { inputs, outputs, nonlinearity } = this.#options;
    const gradient = this.#affineGradient;
    this.#kernels.activateBackward(nonlinearity, this.#output, outputGradient, gradient, rows * outputs);
    if (this.#norm) this.#kernels.batchNormBackward(this.#norm.arrays, gradient, gradient, rows);
    if (this.#bias) this.#kernels.sumRows(gradient, this.#bias.gradient, rows, outputs);
    const weightShape = { rows: inputs, inner: rows, columns: outputs };
    this.#kernels.multiply(this.#last.input, gradient, this.#weight.gradient, weightShape, {
      transposeA: true,
    });
    return wantInputGradient ? this.#backpropagate(gradient, rows) : undefined;
  }

  /** One optimizer step on every parameter, with the mean over the rows of the last backward; `step` counts from 1. */
  descend(rate: number, rows: number, step: number): void {
    descendAll(this.#kernels, this.#optimizer, this.#learning, { rate, scale: 1 / rows, step });
  }

  /** Weights and running statistics: the arrays themselves. */
  tensors(): Tensors {
    const values = Object.entries(this.#parameters()).map(([name, { value }]) => [name, value]);
    const tensors: Tensors = Object.fromEntries(values);
    if (!this.#norm) return tensors;
    const { runningMean, runningVariance } = this.#norm.arrays;
    return { ...tensors, runningMean, runningVariance };
  }

  /** What the optimizer remembers, as `weight.firstMoment`, …: the arrays themselves. */
  optimizerTensors(): Tensors {
    return memoriesOf(this.#parameters());
  }

  #parameters(): Parameters {
    return {
      weight: this.#weight,
      ...(this.#bias && { bias: this.#bias }),
      ...(this.#norm && { gamma: this.#norm.gamma, beta: this.#norm.beta }),
    };
  }

  /** He et al. 2015, equation 10: variance 2 / inputs keeps the size of activations through rectified layers. */
  #drawWeights(): void {
    const { seed, layer, inputs } = this.#options;
    const random = seededRandom(seed, layer);
    const deviation = Math.sqrt(2 / inputs);
    for (let i = 0; i < this.#weight.value.length; i++) this.#weight.value[i] = deviation * normal(random);
  }

  #multiplyWeights(input: Float32Array, rows: number, affine: Float32Array): void {
    const { inputs, outputs, maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    this.#kernels.multiply(input, this.#weight.value, affine, { rows, inner: inputs, columns: outputs });
    if (this.#bias) this.#kernels.addBias(affine, this.#bias.value, rows, outputs);
  }

  #backpropagate(affineGradient: Float32Array, rows: number): Float32Array {
    const { inputs, outputs } = this.#options;
    const shape = { rows, inner: outputs, columns: inputs };
    this.#kernels.multiply(affineGradient, this.#weight.value, this.#inputGradient, shape, {
      transposeB: true,
    });
    return exactly(this.#inputGradient, rows * inputs);
  }
}
