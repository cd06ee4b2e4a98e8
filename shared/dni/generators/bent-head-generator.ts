import type { Kernels, Loss } from "../../math/kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "../../math/optimizer.ts";
import { descendAll, memoriesOf, type Parameter, parameterOf, type Tensors } from "../../math/parameter.ts";
import { NormedDense } from "../../math/transformer/normed-dense.ts";
import type { Evidence, EvidenceWidths } from "../evidence.ts";
import { LabelLoss } from "../labels.ts";
import { named } from "../layer-state.ts";
import { type GeneratorHealth, healthOf } from "./generator-health.ts";
import type { GradientGenerator, ObserveRates } from "./gradient-generator.ts";

interface BentHeadOptions {
  readonly widths: EvidenceWidths;
  /** Places of an example, each an example of its own to the head; 1 for a dense layer. */
  readonly positions: number;
  readonly maxRows: number;
  /** The network's. */
  readonly loss: Loss;
  /** The head is drawn from these words: those of the network's head. Without them it is zero, and so is what it guesses. */
  readonly seed: readonly number[] | undefined;
  /** Of the head: that of the layer. */
  readonly headOptimizer: OptimizerOptions;
  /** Of the bend. */
  readonly optimizer: OptimizerOptions;
}

/** Σ t² of a batch below which a target teaches nothing. */
const LEAST_ENERGY = 1e-20;

/**
 * A head of the layer's own, bent by targets. The head R (layer norm, linear to the labels) learns from the labels at once,
 * as the layer does. The gradient g = dL_R/d(output) is what R alone would ask of the layer; the guess is
 *
 *     syntheticGradient = g · M
 *
 * where M starts at the identity and learns by regression how the rest of the network bends g. So before any target comes,
 * this is local learning (Belilovsky et al. 2020); a late target teaches M what changes slowly.
 *
 * R starts as the network's own head. In a residual network an output is its input and a little more, so from the first
 * batch g is nearly the true gradient. A head with other weights asks for the right thing in directions that mean
 * something else to the layers behind, and M must first learn to turn them.
 */
export class BentHeadGenerator implements GradientGenerator {
  readonly #kernels: Kernels;
  readonly #options: BentHeadOptions;
  readonly #optimizer: Optimizer;
  readonly #head: NormedDense;
  readonly #loss: LabelLoss;
  readonly #bend: Parameter;
  readonly #lossGradient: Float32Array;
  readonly #guess: Float32Array;
  readonly #difference: Float32Array;
  /** g of the last guess. */
  #asked: Float32Array | undefined;

  steps = 0;

  constructor(kernels: Kernels, options: BentHeadOptions) {
    const { widths, positions, maxRows, seed, headOptimizer, loss } = options;
    this.#kernels = kernels;
    this.#options = options;
    this.#optimizer = optimizerOf(options.optimizer);
    this.#head = new NormedDense(kernels, {
      positions,
      inputs: widths.output / positions,
      outputs: widths.labels / positions,
      maxRows,
      seed,
      optimizer: headOptimizer,
    });
    this.#loss = new LabelLoss(kernels, {
      loss,
      maxRows,
      labelWidth: widths.labels,
      labelPositions: positions,
    });
    const width = widths.output / positions;
    this.#bend = parameterOf(kernels, [width, width], this.#optimizer);
    for (let i = 0; i < width; i++) this.#bend.value[i * width + i] = 1;
    this.#lossGradient = kernels.allocate(maxRows * widths.labels);
    this.#guess = kernels.allocate(maxRows * widths.output);
    this.#difference = kernels.allocate(maxRows * widths.output);
  }

  predict({ rows, output, labels }: Evidence): Float32Array {
    const { positions } = this.#options;
    this.#loss.take(this.#head.forward(output, rows), labels, this.#lossGradient, rows);
    this.#asked = this.#head.backward(this.#lossGradient, rows, true)!;
    const width = this.#width;
    const shape = { rows: rows * positions, inner: width, columns: width };
    this.#kernels.multiply(this.#asked, this.#bend.value, this.#guess, shape);
    return this.#guess;
  }

  classify(output: Float32Array, rows: number): Float32Array {
    return this.#head.evaluate(output, rows);
  }

  /** The head learns from the labels of the last guess, at the layer's rate; no target is needed. */
  observe({ rows }: Evidence, { layer }: ObserveRates, step: number): void {
    this.#head.descend(layer, rows, step);
  }

  /** One step of regression of M. The error is divided by the target's energy, so that the rate has no unit. */
  learn(evidence: Evidence, target: Float32Array, rate: number): GeneratorHealth {
    const health = this.measure(evidence, target);
    const width = this.#width;
    const shape = { rows: width, inner: evidence.rows * this.#options.positions, columns: width };
    const across = { transposeA: true };
    this.#kernels.multiply(this.#asked!, this.#difference, this.#bend.gradient, shape, across);
    this.steps++;
    const scale = 2 / health.squaredTarget;
    // A target of zeros, or almost, says nothing of how the network bends a gradient; its scale would be infinite.
    if (health.squaredTarget > LEAST_ENERGY)
      descendAll(this.#kernels, this.#optimizer, [this.#bend], { rate, scale, step: this.steps });
    return health;
  }

  /** The health that `learn` would report, without learning. */
  measure(evidence: Evidence, target: Float32Array): GeneratorHealth {
    const length = evidence.rows * this.#options.widths.output;
    return healthOf(this.#kernels, this.predict(evidence), target, this.#difference, length);
  }

  tensors(): Tensors {
    return { ...named("head", this.#head.tensors()), bend: this.#bend.value };
  }

  optimizerTensors(): Tensors {
    return { ...named("head", this.#head.optimizerTensors()), ...memoriesOf({ bend: this.#bend }) };
  }

  /** Floats of a position. */
  get #width(): number {
    return this.#options.widths.output / this.#options.positions;
  }
}
