import type { Kernels } from "../math/kernels.ts";
import { rateAt } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import { applyBatch } from "./apply-batch.ts";
import type { Evidence, EvidenceWidths } from "./evidence.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/generator-health.ts";
import { type GradientGenerator, observeRates } from "./generators/gradient-generator.ts";
import { labelFloats } from "./labels.ts";
import type { LayerOptions } from "./layer-options.ts";
import { type LayerState, named, restoreTensors, transformTensors } from "./layer-state.ts";
import { UpdateLottery } from "./update-lottery.ts";

/** What a hidden layer has to say of a batch: to its successor, and to its predecessor. */
export interface LayerAnswer {
  /** rows × outputs. */
  readonly output: Float32Array;
  /**
   * dL/d(input), rows × inputs, per example: the guess, backpropagated through the layer. Undefined if not wanted, or if
   * the layer did not learn from this batch.
   */
  readonly inputGradient: Float32Array | undefined;
}

/**
 * A hidden layer that waits for nobody (Jaderberg et al. 2016, section 2): it guesses the gradient at its output, moves
 * its weights at once, and corrects the guesser when the true answer comes. Returned arrays are its own, valid
 * until its next call.
 */
export class DecoupledLayer {
  readonly kind = "decoupled";
  /** Floats per example of what its generator may look at: what an evidence store for it must hold. */
  readonly evidenceWidths: EvidenceWidths;
  readonly #options: LayerOptions;
  readonly #transform: Transform;
  readonly #generator: GradientGenerator;
  readonly #turns: UpdateLottery;
  /** The guess that drove the last update. */
  outputGradient: Float32Array | undefined;

  constructor(kernels: Kernels, options: LayerOptions) {
    const { outputs, labelWidth, networkInputWidth } = options;
    const widths = { output: outputs, labels: labelWidth, input: networkInputWidth };
    this.evidenceWidths = { ...widths, labels: labelFloats(options) };
    this.#options = options;
    this.#transform = options.parts.transform(kernels, options);
    this.#generator = options.parts.generator(kernels, options, widths);
    this.#turns = new UpdateLottery(options);
  }

  /** Forward, guess, backward through the weights of the forward, descend; forward alone where it is not its turn. */
  update(example: Example, batch: number): LayerAnswer {
    if (!this.#turns.takes(batch)) return this.#pass(example);
    const answer = this.rehearse(example);
    applyBatch(this.#transform, this.#options, this.#turns, example.rows, batch);
    this.#observe(this.evidence(example, answer.output), batch);
    return answer;
  }

  #observe(evidence: Evidence, batch: number): void {
    if (this.#options.learning.method === "frozen") return;
    this.#generator.observe?.(evidence, observeRates(this.#options, batch), this.#turns.step(batch));
  }

  #pass({ input, rows }: Example): LayerAnswer {
    const output = this.#transform.forward(input, rows);
    this.#transform.track(rows);
    return { output, inputGradient: undefined };
  }

  /** What `update` would answer, without changing any state. */
  rehearse(example: Example): LayerAnswer {
    const output = this.#transform.forward(example.input, example.rows);
    const syntheticGradient = this.#generator.predict(this.evidence(example, output));
    this.outputGradient = syntheticGradient;
    const { wantInputGradient } = this.#options;
    const inputGradient = this.#transform.backward(syntheticGradient, example.rows, wantInputGradient);
    return { output, inputGradient };
  }

  /** The output with running statistics, rows × outputs. */
  evaluate(example: Example): Float32Array {
    return this.#transform.evaluate(example.input, example.rows);
  }

  /** What its own classifier makes of an output of `evaluate`, as the loss takes it; undefined where it has none. */
  classify(output: Float32Array, rows: number): Float32Array | undefined {
    return this.#generator.classify?.(output, rows);
  }

  /** What the generator looks at when its layer gives this output; the arrays are those of its arguments. */
  evidence(example: Example, output: Float32Array): Evidence {
    const { rows, labels } = example;
    if (this.evidenceWidths.input === 0) return { rows, output, labels };
    const input = example.networkInput ?? (this.#options.layer === 1 ? example.input : undefined);
    return input ? { rows, output, labels, input } : { rows, output, labels };
  }

  /**
   * One regression step towards `target`, the successor's inputGradient for the batch of this evidence; `batch` is that
   * batch, and picks the rate of the schedule. Frozen, it measures and changes nothing.
   */
  learn(evidence: Evidence, target: Float32Array, batch: number): GeneratorHealth {
    const { learning, batches } = this.#options;
    if (learning.method === "frozen") return this.#generator.measure(evidence, target);
    return this.#generator.learn(evidence, target, rateAt(learning.generator, batch, batches));
  }

  /** How good its guess for this output would be against `gradient`; changes no state. */
  measure(example: Example, output: Float32Array, gradient: Float32Array): GeneratorHealth {
    return this.#generator.measure(this.evidence(example, output), gradient);
  }

  state(): LayerState {
    const tensors = {
      ...transformTensors(this.#transform),
      ...named("generator", this.#generator.tensors()),
      ...named("optimizer.generator", this.#generator.optimizerTensors()),
    };
    return { tensors, counters: { "generator.steps": this.#generator.steps, ...this.#turns.counters() } };
  }

  /** Copies in. Throws an Error listing missing and mis-sized names, and then has changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
    this.#generator.steps = state.counters["generator.steps"]!;
    this.#turns.restore(state);
  }
}
