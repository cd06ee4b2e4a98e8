import type { Kernels } from "../math/kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "../math/optimizer.ts";
import { descendAll, memoriesOf, type Parameter, parameterOf, type Tensors } from "../math/parameter.ts";
import type { Evidence, EvidenceWidths } from "./evidence.ts";

export type EvidencePart = "output" | "labels" | "input";

export interface GeneratorOptions {
  readonly widths: EvidenceWidths;
  /** At least one; the others are never looked at. */
  readonly evidence: readonly EvidencePart[];
  readonly maxRows: number;
  readonly optimizer: OptimizerOptions;
}

/** How good a guess s was, given the target t that came for it; sums over the batch. */
export interface GeneratorHealth {
  /** Σ (s − t)², the differences in single precision. */
  readonly squaredError: number;
  /** Σ t²: what guessing zero would have cost. */
  readonly squaredTarget: number;
  /** Of the angle between s and t; 0 where either is zero. */
  readonly cosine: number;
}

/**
 * M in the paper (section 2.2, conditioned as in 3.1): a guess of dL/d(output), linear in the evidence,
 *
 *     syntheticGradient = output · A_h + labels · A_y + input · A_x + c
 *
 * with any of the terms left out. Everything starts at zero, as in the paper: an untrained generator asks its layer to
 * change nothing.
 */
export class SyntheticGradientGenerator {
  readonly #kernels: Kernels;
  readonly #optimizer: Optimizer;
  readonly #outputs: number;
  /** A_h, A_y and A_x stacked: the rows of each part lie together, so that no evidence need ever be concatenated. */
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #terms: readonly Term[];
  readonly #guess: Float32Array;
  readonly #difference: Float32Array;

  /** Regression steps so far. State like the weights: Adam's next step depends on it. */
  steps = 0;

  constructor(kernels: Kernels, options: GeneratorOptions) {
    const { widths, evidence, maxRows } = options;
    if (evidence.length === 0) throw new Error("Cannot make a generator: it may look at nothing");
    this.#kernels = kernels;
    this.#optimizer = optimizerOf(options.optimizer);
    this.#outputs = widths.output;
    const height = evidence.reduce((sum, part) => sum + widths[part], 0);
    this.#weight = parameterOf(kernels, height * widths.output, this.#optimizer);
    this.#bias = parameterOf(kernels, widths.output, this.#optimizer);
    this.#terms = termsOf(this.#weight, widths, evidence);
    this.#guess = kernels.allocate(maxRows * widths.output);
    this.#difference = kernels.allocate(maxRows * widths.output);
  }

  /** The syntheticGradient, rows × outputs: the generator's own array, valid until the next call of any method. */
  predict(evidence: Evidence): Float32Array {
    const { rows } = evidence;
    let accumulate = false;
    for (const { part, width, weight } of this.#terms) {
      const shape = { rows, inner: width, columns: this.#outputs };
      this.#kernels.multiply(numbersOf(evidence, part), weight, this.#guess, shape, { accumulate });
      accumulate = true;
    }
    this.#kernels.addBias(this.#guess, this.#bias.value, rows, this.#outputs);
    return this.#guess;
  }

  /**
   * One step of regression on ½ Σ (s − t)² an example, its mean over the batch; s is guessed afresh, with the weights as
   * they now are. The health is that of this guess, from before the step.
   */
  learn(evidence: Evidence, target: Float32Array, rate: number): GeneratorHealth {
    const health = this.measure(evidence, target);
    this.#regress(evidence);
    this.steps++;
    const step = { rate, scale: 1 / evidence.rows, step: this.steps };
    descendAll(this.#kernels, this.#optimizer, [this.#weight, this.#bias], step);
    return health;
  }

  /** The health that `learn` would report, without learning. */
  measure(evidence: Evidence, target: Float32Array): GeneratorHealth {
    const length = evidence.rows * this.#outputs;
    const guess = this.predict(evidence);
    this.#kernels.subtract(guess, target, this.#difference, length);
    return this.#health(guess, target, length);
  }

  #health(guess: Float32Array, target: Float32Array, length: number): GeneratorHealth {
    const { dot } = this.#kernels;
    const squaredTarget = dot(target, target, length);
    const sizes = Math.sqrt(dot(guess, guess, length) * squaredTarget);
    return {
      squaredError: dot(this.#difference, this.#difference, length),
      squaredTarget,
      cosine: sizes > 0 ? dot(guess, target, length) / sizes : 0,
    };
  }

  tensors(): Tensors {
    return { weight: this.#weight.value, bias: this.#bias.value };
  }

  optimizerTensors(): Tensors {
    return memoriesOf({ weight: this.#weight, bias: this.#bias });
  }

  /** Gradients of the regression: d/ds is s − t, which `measure` has left in #difference. */
  #regress(evidence: Evidence): void {
    const { rows } = evidence;
    for (const { part, width, gradient } of this.#terms) {
      const shape = { rows: width, inner: rows, columns: this.#outputs };
      const options = { transposeA: true };
      this.#kernels.multiply(numbersOf(evidence, part), this.#difference, gradient, shape, options);
    }
    this.#kernels.sumRows(this.#difference, this.#bias.gradient, rows, this.#outputs);
  }
}

/** One part of the evidence with its rows of the weight and of the weight's gradient. */
interface Term {
  readonly part: EvidencePart;
  readonly width: number;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
}

/** Stacked in this order, whatever the order of the config: a checkpoint must mean one thing. */
const PART_ORDER: readonly EvidencePart[] = ["output", "labels", "input"];

function termsOf(weight: Parameter, widths: EvidenceWidths, evidence: readonly EvidencePart[]): Term[] {
  let end = 0;
  return PART_ORDER.filter((part) => evidence.includes(part)).map((part) => {
    const start = end;
    end += widths[part] * widths.output;
    const [rows, gradient] = [weight.value.subarray(start, end), weight.gradient.subarray(start, end)];
    return { part, width: widths[part], weight: rows, gradient };
  });
}

function numbersOf(evidence: Evidence, part: EvidencePart): Float32Array {
  const numbers = evidence[part];
  if (!numbers) throw new Error(`Cannot guess a gradient: the evidence has no ${part}`);
  return numbers;
}
