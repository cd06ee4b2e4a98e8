import { RUNNING_MOMENTUM } from "./batch-norm.ts";
import { exactly } from "./exactly.ts";
import type { Kernels, Nonlinearity } from "./kernels.ts";
import { Learnt } from "./learnt.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import type { Tensors } from "./parameter.ts";
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
  readonly #learnt: Learnt;
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
    const { optimizer } = options;
    this.#learnt = new Learnt(kernels, {
      weight: [inputs, outputs],
      maxRows,
      batchNorm,
      optimizer,
    });
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
    if (this.#learnt.norm)
      this.#kernels.batchNormForward(this.#learnt.norm.arrays, this.#affine, this.#output, rows);
    this.#kernels.activate(nonlinearity, this.#output, this.#output, rows * outputs);
    this.#last = { input, rows };
    return exactly(this.#output, rows * outputs);
  }

  /** Takes the batch of the last forward into the running statistics. Apart from forward, so that one can try without. */
  track(rows: number): void {
    if (this.#learnt.norm) this.#kernels.batchNormTrack(this.#learnt.norm.arrays, RUNNING_MOMENTUM, rows);
  }

  /** The output with running statistics; disturbs no forward that waits for its backward. */
  evaluate(input: Float32Array, rows: number): Float32Array {
    const { outputs, nonlinearity } = this.#options;
    const output = this.#evaluated;
    this.#multiplyWeights(input, rows, output);
    if (this.#learnt.norm) this.#kernels.batchNormEvaluate(this.#learnt.norm.arrays, output, output, rows);
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
    if (this.#learnt.norm)
      this.#kernels.batchNormBackward(this.#learnt.norm.arrays, gradient, gradient, rows);
    if (this.#learnt.bias) this.#kernels.sumRows(gradient, this.#learnt.bias.gradient, rows, outputs);
    const weightShape = { rows: inputs, inner: rows, columns: outputs };
    this.#kernels.multiply(this.#last.input, gradient, this.#learnt.weight.gradient, weightShape, {
      transposeA: true,
    });
    return wantInputGradient ? this.#backpropagate(gradient, rows) : undefined;
  }

  /** One optimizer step on every parameter, with the mean over the rows of the last backward; `step` counts from 1. */
  descend(rate: number, rows: number, step: number): void {
    this.#learnt.descend(rate, rows, step);
  }

  /** Weights and running statistics: the arrays themselves. */
  tensors(): Tensors {
    return this.#learnt.tensors();
  }

  /** What the optimizer remembers, as `weight.firstMoment`, …: the arrays themselves. */
  optimizerTensors(): Tensors {
    return this.#learnt.optimizerTensors();
  }

  /** He et al. 2015, equation 10: variance 2 / inputs keeps the size of activations through rectified layers. */
  #drawWeights(): void {
    const { seed, layer, inputs } = this.#options;
    const random = seededRandom(seed, layer);
    const deviation = Math.sqrt(2 / inputs);
    for (let i = 0; i < this.#learnt.weight.value.length; i++)
      this.#learnt.weight.value[i] = deviation * normal(random);
  }

  #multiplyWeights(input: Float32Array, rows: number, affine: Float32Array): void {
    const { inputs, outputs, maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    this.#kernels.multiply(input, this.#learnt.weight.value, affine, {
      rows,
      inner: inputs,
      columns: outputs,
    });
    if (this.#learnt.bias) this.#kernels.addBias(affine, this.#learnt.bias.value, rows, outputs);
  }

  #backpropagate(affineGradient: Float32Array, rows: number): Float32Array {
    const { inputs, outputs } = this.#options;
    const shape = { rows, inner: outputs, columns: inputs };
    this.#kernels.multiply(affineGradient, this.#learnt.weight.value, this.#inputGradient, shape, {
      transposeB: true,
    });
    return exactly(this.#inputGradient, rows * inputs);
  }
}
