import { batchNormOf } from "../../math/batch-norm.ts";
import type { BatchNormArrays, Kernels } from "../../math/kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "../../math/optimizer.ts";
import { descendAll, memoriesOf, type Parameter, parameterOf, type Tensors } from "../../math/parameter.ts";
import type { Evidence, EvidenceWidths } from "../evidence.ts";
import { HiddenLayers } from "../hidden-layers.ts";
import type { LabelView } from "../labels.ts";
import { type GeneratorHealth, healthOf } from "./generator-health.ts";
import type { GradientGenerator } from "./gradient-generator.ts";

export type { GeneratorHealth } from "./generator-health.ts";

/** normalisedOutput: the output, each unit with mean 0 and variance 1 over the batch. */
export type EvidencePart = "output" | "normalisedOutput" | "labels" | "input";

interface GeneratorOptions {
  readonly widths: EvidenceWidths;
  /** At least one; the others are never looked at. */
  readonly evidence: readonly EvidencePart[];
  readonly maxRows: number;
  /** Of labels that are no floats to multiply with. */
  readonly viewLabels?: LabelView;
  readonly optimizer: OptimizerOptions;
  /** Rectified layers between the evidence and the guess; none for a linear generator. */
  readonly hidden?: {
    readonly widths: readonly number[];
    readonly batchNorm: boolean;
    readonly seed: number;
    readonly layer: number;
  };
}

/**
 * M in the paper (section 2.2, conditioned as in 3.1): a guess of dL/d(output), linear in the evidence,
 *
 *     syntheticGradient = output · A_h + labels · A_y + input · A_x + c
 *
 * with any of the terms left out; or linear in the last of its hidden layers, which see the evidence. What is linear
 * starts at zero, as in the paper: an untrained generator asks its layer to change nothing.
 */
export class SyntheticGradientGenerator implements GradientGenerator {
  readonly #kernels: Kernels;
  readonly #optimizer: Optimizer;
  readonly #outputs: number;
  /** A_h, A_y and A_x stacked: the rows of each part lie together, so that no evidence need ever be concatenated. */
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #terms: readonly Term[];
  readonly #parts: readonly EvidencePart[];
  readonly #viewLabels: LabelView;
  readonly #hidden: HiddenLayers | undefined;
  readonly #hiddenGradient: Float32Array | undefined;
  /** For the normalised output: gamma and beta stay 1 and 0. */
  readonly #norm: BatchNormArrays | undefined;
  readonly #normalised: Float32Array | undefined;
  /** What the last guess was linear in. */
  #seen: readonly Float32Array[] = [];
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
    this.#viewLabels = options.viewLabels ?? ((labels) => labels);
    this.#parts = PART_ORDER.filter((part) => evidence.includes(part));
    const seen = this.#parts.map((part) => widthOf(widths, part));
    this.#hidden = hiddenOf(kernels, options, seen);
    const linearIn = this.#hidden ? [this.#hidden.outputs] : seen;
    const height = linearIn.reduce((sum, width) => sum + width, 0);
    this.#weight = parameterOf(kernels, [height, widths.output], this.#optimizer);
    this.#bias = parameterOf(kernels, [widths.output], this.#optimizer);
    this.#terms = termsOf(this.#weight, linearIn, widths.output);
    this.#hiddenGradient = this.#hidden && kernels.allocate(maxRows * this.#hidden.outputs);
    if (evidence.includes("normalisedOutput")) {
      this.#norm = batchNormOf(kernels, widths.output, maxRows, this.#optimizer).arrays;
      this.#normalised = kernels.allocate(maxRows * widths.output);
    }
    this.#guess = kernels.allocate(maxRows * widths.output);
    this.#difference = kernels.allocate(maxRows * widths.output);
  }

  /** The syntheticGradient, rows × outputs: the generator's own array, valid until the next call of any method. */
  predict(evidence: Evidence): Float32Array {
    const { rows } = evidence;
    const seen = this.#look(evidence);
    let accumulate = false;
    for (const [index, { width, weight }] of this.#terms.entries()) {
      const shape = { rows, inner: width, columns: this.#outputs };
      this.#kernels.multiply(seen[index]!, weight, this.#guess, shape, { accumulate });
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
    this.#hidden?.descend(rate, evidence.rows, this.steps);
    return health;
  }

  /** The health that `learn` would report, without learning. */
  measure(evidence: Evidence, target: Float32Array): GeneratorHealth {
    const guess = this.predict(evidence);
    return healthOf(this.#kernels, guess, target, this.#difference, evidence.rows * this.#outputs);
  }

  tensors(): Tensors {
    return { weight: this.#weight.value, bias: this.#bias.value, ...this.#hidden?.tensors() };
  }

  optimizerTensors(): Tensors {
    const own = memoriesOf({ weight: this.#weight, bias: this.#bias });
    return { ...own, ...this.#hidden?.optimizerTensors() };
  }

  /** What the linear terms are linear in. */
  #look(evidence: Evidence): readonly Float32Array[] {
    const parts = this.#parts.map((part) => this.#numbersOf(evidence, part));
    this.#seen = this.#hidden ? [this.#hidden.forward(parts, evidence.rows)] : parts;
    return this.#seen;
  }

  #numbersOf(evidence: Evidence, part: EvidencePart): Float32Array {
    if (part === "labels") return this.#viewLabels(evidence.labels, evidence.rows);
    if (part !== "normalisedOutput") return numbersOf(evidence, part);
    this.#kernels.batchNormForward(this.#norm!, evidence.output, this.#normalised!, evidence.rows);
    return this.#normalised!;
  }

  /** Gradients of the regression: d/ds is s − t, which `measure` has left in #difference. */
  #regress({ rows }: Evidence): void {
    for (const [index, { width, gradient }] of this.#terms.entries()) {
      const shape = { rows: width, inner: rows, columns: this.#outputs };
      this.#kernels.multiply(this.#seen[index]!, this.#difference, gradient, shape, { transposeA: true });
    }
    this.#kernels.sumRows(this.#difference, this.#bias.gradient, rows, this.#outputs);
    if (!this.#hidden) return;
    const shape = { rows, inner: this.#outputs, columns: this.#hidden.outputs };
    const through = { transposeB: true };
    this.#kernels.multiply(this.#difference, this.#weight.value, this.#hiddenGradient!, shape, through);
    this.#hidden.backward(this.#hiddenGradient!, rows);
  }
}

/** Rows of the weight, and of its gradient, for one array that the guess is linear in. */
interface Term {
  readonly width: number;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
}

/** Stacked in this order, whatever the order of the config: a checkpoint must mean one thing. */
const PART_ORDER: readonly EvidencePart[] = ["output", "normalisedOutput", "labels", "input"];

function widthOf(widths: EvidenceWidths, part: EvidencePart): number {
  return widths[part === "normalisedOutput" ? "output" : part];
}

function hiddenOf(
  kernels: Kernels,
  { hidden, maxRows, optimizer }: GeneratorOptions,
  inputs: readonly number[],
): HiddenLayers | undefined {
  if (!hidden || hidden.widths.length === 0) return undefined;
  return new HiddenLayers(kernels, { ...hidden, inputs, maxRows, optimizer });
}

function termsOf(weight: Parameter, widths: readonly number[], outputs: number): Term[] {
  let end = 0;
  return widths.map((width) => {
    const start = end;
    end += width * outputs;
    const [rows, gradient] = [weight.value.subarray(start, end), weight.gradient.subarray(start, end)];
    return { width, weight: rows, gradient };
  });
}

function numbersOf(evidence: Evidence, part: keyof EvidenceWidths): Float32Array {
  const numbers = evidence[part];
  if (!numbers) throw new Error(`Cannot guess a gradient: the evidence has no ${part}`);
  return numbers;
}
