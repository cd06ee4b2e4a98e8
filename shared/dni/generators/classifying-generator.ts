import { exactly } from "../../math/exactly.ts";
import type { Kernels, Loss } from "../../math/kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "../../math/optimizer.ts";
import { descendAll, memoriesOf, type Parameter, parameterOf, type Tensors } from "../../math/parameter.ts";
import type { Evidence, EvidenceWidths } from "../evidence.ts";
import { LabelLoss } from "../labels.ts";
import { type GeneratorHealth, healthOf } from "./generator-health.ts";
import type { GradientGenerator, ObserveRates } from "./gradient-generator.ts";

interface ClassifyingOptions {
  readonly widths: EvidenceWidths;
  readonly maxRows: number;
  readonly optimizer: OptimizerOptions;
  /** The network's. */
  readonly loss: Loss;
}

/**
 * A generator for targets that come late. What a target depends on fastest is how well the network does on an example
 * by now, and that need not be waited for: a linear classifier of the layer's output finds it out at once,
 *
 *     syntheticGradient = (p(output · P + c) − labels) · Q
 *
 * P and c follow the network's loss on every batch as it is updated; Q follows the targets, whenever they come, and
 * starts at zero. The form is that of the true gradient where all that comes after the layer is linear; for
 * cross-entropies p is the softmax or the sigmoid (Czarnecki et al. 2017 find that form for the log loss).
 */
export class ClassifyingGenerator implements GradientGenerator {
  readonly #kernels: Kernels;
  readonly #options: ClassifyingOptions;
  readonly #optimizer: Optimizer;
  readonly #loss: LabelLoss;
  readonly #classifier: Parameter;
  readonly #offset: Parameter;
  readonly #spread: Parameter;
  readonly #logits: Float32Array;
  /** p − labels of the last guess. */
  readonly #residual: Float32Array;
  readonly #guess: Float32Array;
  readonly #difference: Float32Array;

  steps = 0;

  constructor(kernels: Kernels, options: ClassifyingOptions) {
    const { widths, maxRows, loss } = options;
    this.#kernels = kernels;
    this.#options = options;
    this.#optimizer = optimizerOf(options.optimizer);
    this.#loss = new LabelLoss(kernels, { loss, maxRows, labelWidth: widths.labels, labelPositions: 1 });
    this.#classifier = parameterOf(kernels, [widths.output, widths.labels], this.#optimizer);
    this.#offset = parameterOf(kernels, [widths.labels], this.#optimizer);
    this.#spread = parameterOf(kernels, [widths.labels, widths.output], this.#optimizer);
    this.#logits = kernels.allocate(maxRows * widths.labels);
    this.#residual = kernels.allocate(maxRows * widths.labels);
    this.#guess = kernels.allocate(maxRows * widths.output);
    this.#difference = kernels.allocate(maxRows * widths.output);
  }

  /** The syntheticGradient, rows × outputs: the generator's own array, valid until the next call of any method. */
  predict({ rows, output, labels }: Evidence): Float32Array {
    const { output: units, labels: classes } = this.#options.widths;
    this.#loss.take(this.classify(output, rows), labels, this.#residual, rows);
    const toGuess = { rows, inner: classes, columns: units };
    this.#kernels.multiply(this.#residual, this.#spread.value, this.#guess, toGuess);
    return this.#guess;
  }

  classify(output: Float32Array, rows: number): Float32Array {
    const { output: units, labels: classes } = this.#options.widths;
    this.#kernels.multiply(output, this.#classifier.value, this.#logits, {
      rows,
      inner: units,
      columns: classes,
    });
    this.#kernels.addBias(this.#logits, this.#offset.value, rows, classes);
    return exactly(this.#logits, rows * classes);
  }

  /** The classifier learns from the labels of the last guess; no target is needed. */
  observe({ rows, output }: Evidence, { generator: rate }: ObserveRates, step: number): void {
    const { widths } = this.#options;
    const shape = { rows: widths.output, inner: rows, columns: widths.labels };
    this.#kernels.multiply(output, this.#residual, this.#classifier.gradient, shape, { transposeA: true });
    this.#kernels.sumRows(this.#residual, this.#offset.gradient, rows, widths.labels);
    const how = { rate, scale: 1 / rows, step };
    descendAll(this.#kernels, this.#optimizer, [this.#classifier, this.#offset], how);
  }

  /** One step of regression of Q, as SyntheticGradientGenerator.learn. */
  learn(evidence: Evidence, target: Float32Array, rate: number): GeneratorHealth {
    const health = this.measure(evidence, target);
    const { widths } = this.#options;
    const shape = { rows: widths.labels, inner: evidence.rows, columns: widths.output };
    const across = { transposeA: true };
    this.#kernels.multiply(this.#residual, this.#difference, this.#spread.gradient, shape, across);
    this.steps++;
    const step = { rate, scale: 1 / evidence.rows, step: this.steps };
    descendAll(this.#kernels, this.#optimizer, [this.#spread], step);
    return health;
  }

  /** The health that `learn` would report, without learning. */
  measure(evidence: Evidence, target: Float32Array): GeneratorHealth {
    const length = evidence.rows * this.#options.widths.output;
    return healthOf(this.#kernels, this.predict(evidence), target, this.#difference, length);
  }

  tensors(): Tensors {
    return Object.fromEntries(Object.entries(this.#parameters()).map(([name, { value }]) => [name, value]));
  }

  optimizerTensors(): Tensors {
    return memoriesOf(this.#parameters());
  }

  #parameters() {
    return { classifier: this.#classifier, offset: this.#offset, spread: this.#spread };
  }
}
