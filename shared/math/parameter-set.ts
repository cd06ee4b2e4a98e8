import type { Kernels } from "./kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";
import { memoriesOf, type Parameter, type Parameters, parameterOf, type Tensors } from "./parameter.ts";
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

  /** A matrix of `length` floats, drawn from the normal distribution with this deviation. */
  matrix(name: string, length: number, deviation: number, random: () => number): Parameter {
    const parameter = parameterOf(this.#kernels, length, this.optimizer);
    for (let i = 0; i < length; i++) parameter.value[i] = deviation * normal(random);
    this.#matrices.add(name);
    return this.add(name, parameter);
  }

  /** A parameter that does not decay. */
  add(name: string, parameter: Parameter): Parameter {
    this.#parameters[name] = parameter;
    return parameter;
  }

  /** One step against the gradients times `scale` (1 / rows for a mean); `step` counts from 1. */
  descend(rate: number, scale: number, step: number): void {
    const clipped = scale * this.#clip(scale);
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

  /** 1, or what brings the norm of all gradients, times `scale`, down to `clip`. */
  #clip(scale: number): number {
    const { clip } = this.#options;
    if (clip === undefined) return 1;
    let squares = 0;
    for (const { gradient } of Object.values(this.#parameters))
      squares += this.#kernels.dot(gradient, gradient, gradient.length);
    const norm = scale * Math.sqrt(squares);
    return norm > clip ? clip / norm : 1;
  }

  #decay(value: Float32Array, rate: number): void {
    const { decay = 0 } = this.#options;
    if (decay === 0) return;
    const kept = 1 - rate * decay;
    for (let i = 0; i < value.length; i++) value[i] = value[i]! * kept;
  }
}
