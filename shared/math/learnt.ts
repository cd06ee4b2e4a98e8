import { type BatchNorm, batchNormOf } from "./batch-norm.ts";
import type { Kernels } from "./kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";
import {
  descendAll,
  memoriesOf,
  type Parameter,
  type Parameters,
  parameterOf,
  type TensorShape,
  type Tensors,
} from "./parameter.ts";

interface LearntOptions {
  /** Shape of the weight. Its last is the columns of what it gives: floats of a bias, or of a scale and a shift. */
  readonly weight: TensorShape;
  /** Most rows of that matrix. */
  readonly maxRows: number;
  readonly batchNorm: boolean;
  readonly optimizer: OptimizerOptions;
}

/** What a layer f(norm(a · weight)), or f(a · weight + bias) without batch norm, learns, and how it descends. */
export class Learnt {
  readonly weight: Parameter;
  /** With batch norm beta would be a second one. */
  readonly bias: Parameter | undefined;
  readonly norm: BatchNorm | undefined;
  readonly #kernels: Kernels;
  readonly #optimizer: Optimizer;
  readonly #parameters: Parameters;

  constructor(kernels: Kernels, { weight, maxRows, batchNorm, optimizer }: LearntOptions) {
    const columns = weight.at(-1)!;
    this.#kernels = kernels;
    this.#optimizer = optimizerOf(optimizer);
    this.weight = parameterOf(kernels, weight, this.#optimizer);
    this.bias = batchNorm ? undefined : parameterOf(kernels, [columns], this.#optimizer);
    this.norm = batchNorm ? batchNormOf(kernels, columns, maxRows, this.#optimizer) : undefined;
    this.#parameters = {
      weight: this.weight,
      ...(this.bias && { bias: this.bias }),
      ...(this.norm && { gamma: this.norm.gamma, beta: this.norm.beta }),
    };
  }

  /** One optimizer step on every parameter, with the mean over the rows of the last backward; `step` counts from 1. */
  descend(rate: number, rows: number, step: number): void {
    const parameters = Object.values(this.#parameters);
    descendAll(this.#kernels, this.#optimizer, parameters, { rate, scale: 1 / rows, step });
  }

  /** Weights and running statistics: the arrays themselves. */
  tensors(): Tensors {
    const values = Object.entries(this.#parameters).map(([name, { value }]) => [name, value]);
    const tensors: Tensors = Object.fromEntries(values);
    if (!this.norm) return tensors;
    const { runningMean, runningVariance } = this.norm.arrays;
    return { ...tensors, runningMean, runningVariance };
  }

  /** What the optimizer remembers, as `weight.firstMoment`, …: the arrays themselves. */
  optimizerTensors(): Tensors {
    return memoriesOf(this.#parameters);
  }
}
