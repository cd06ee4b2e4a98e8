import type { Kernels } from "./kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";
import {
  memoriesOf,
  type Parameter,
  type Parameters,
  parameterOf,
  type TensorShape,
  type Tensors,
} from "./parameter.ts";
import { normal } from "./random.ts";

/**
 * The parameters of a layer by name, and their step together: gradients are clipped to one norm over all of them, and
 * matrices decay (Loshchilov & Hutter 2019, algorithm 2) while gains do not.
 */
export class ParameterSet {
  readonly optimizer: Optimizer;
  readonly #kernels: Kernels;
  readonly #options: OptimizerOptions;
  readonly #parameters: Record<string, Parameter> = {};
  readonly #matrices = new Set<string>();

  constructor(kernels: Kernels, options: OptimizerOptions) {
    this.#kernels = kernels;
    this.#options = options;
    this.optimizer = optimizerOf(options);
  }

  /** A matrix, rows × columns, drawn from the normal distribution with this deviation. */
  matrix(name: string, shape: TensorShape, deviation: number, random: () => number): Parameter {
    const parameter = parameterOf(this.#kernels, shape, this.optimizer);
    for (let i = 0; i < parameter.value.length; i++) parameter.value[i] = deviation * normal(random);
    this.#matrices.add(name);
    return this.add(name, parameter);
  }

  /** A parameter that does not decay. */
  add(name: string, parameter: Parameter): Parameter {
    this.#parameters[name] = parameter;
    return parameter;
  }

  /**
   * One step against the gradients times `scale` (1 / rows for a mean); `step` counts from 1. `squares`: Σ g² of all that
   * is clipped together, where these are not the only ones.
   */
  descend(rate: number, scale: number, step: number, squares = this.squares()): void {
    const clipped = scale * this.#clip(scale, squares);
    for (const [name, { value, gradient, memory }] of Object.entries(this.#parameters)) {
      if (this.#matrices.has(name)) this.#decay(value, rate);
      this.optimizer.update(this.#kernels, value, gradient, memory, { rate, scale: clipped, step });
    }
  }

  /** The arrays themselves. */
  tensors(): Tensors {
    const entries = Object.entries(this.#parameters).map(([name, { value }]) => [name, value]);
    return Object.fromEntries(entries);
  }

  /** What the optimizer remembers, as `weight.firstMoment`, …: the arrays themselves. */
  optimizerTensors(): Tensors {
    return memoriesOf(this.#parameters as Parameters);
  }

  /** Σ g² of its gradients; 0 where none is clipped. */
  squares(): number {
    if (this.#options.clip === undefined) return 0;
    let squares = 0;
    for (const { gradient } of Object.values(this.#parameters))
      squares += this.#kernels.dot(gradient, gradient, gradient.length);
    return squares;
  }

  /** 1, or what brings a norm of √squares, times `scale`, down to `clip`. */
  #clip(scale: number, squares: number): number {
    const { clip } = this.#options;
    if (clip === undefined) return 1;
    const norm = scale * Math.sqrt(squares);
    return norm > clip ? clip / norm : 1;
  }

  #decay(value: Float32Array, rate: number): void {
    const { decay = 0 } = this.#options;
    if (decay === 0) return;
    const kept = 1 - rate * decay;
    this.#kernels.scale(value, kept, value.length);
  }
}
