import type { Kernels } from "../math/kernels.ts";
import { rateAt } from "../math/schedule.ts";
import type { Evidence } from "./evidence.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/generator-health.ts";
import { type GradientGenerator, observeRates } from "./generators/gradient-generator.ts";
import { labelFloats } from "./labels.ts";
import type { LayerOptions } from "./layer-options.ts";
import { type LayerState, named, restoreTensors } from "./layer-state.ts";
import { LockedLayer } from "./locked-layer.ts";

/**
 * A hidden layer that waits for its target and then follows λ · target + (1 − λ) · guess, which it also sends back: a
 * backpropagated mixture of true and synthetic gradients. With λ = 1 it is a layer of backpropagation. Used as a locked
 * layer is.
 */
export class MixedLayer {
  readonly kind = "locked";
  readonly #options: LayerOptions;
  readonly #mixture: number;
  readonly #locked: LockedLayer;
  readonly #generator: GradientGenerator;
  readonly #labels: Float32Array;
  readonly #networkInput: Float32Array | undefined;
  readonly #mixed: Float32Array;
  #output: Float32Array | undefined;
  /** Of the guess in the last `backward`. */
  health: GeneratorHealth | undefined;

  constructor(kernels: Kernels, options: LayerOptions) {
    const { outputs, labelWidth, networkInputWidth, maxRows, learning } = options;
    this.#options = options;
    this.#mixture = learning.mixture ?? 0;
    this.#locked = new LockedLayer(kernels, options);
    const widths = { output: outputs, labels: labelWidth, input: networkInputWidth };
    this.#generator = options.parts.generator(kernels, options, widths);
    this.#labels = kernels.allocate(maxRows * labelFloats(options));
    this.#networkInput = networkInputWidth > 0 ? kernels.allocate(maxRows * networkInputWidth) : undefined;
    this.#mixed = kernels.allocate(maxRows * outputs);
  }

  /** The output, rows × outputs. Changes no state. */
  forward(example: Example): Float32Array {
    const { rows, labels, networkInput, input } = example;
    const { networkInputWidth } = this.#options;
    this.#labels.set(labels.subarray(0, rows * labelFloats(this.#options)));
    // Layer 1 takes its input for the network's.
    this.#networkInput?.set((networkInput ?? input).subarray(0, rows * networkInputWidth));
    this.#output = this.#locked.forward(example);
    return this.#output;
  }

  /** As a locked layer's, but what moves the layer is mixed with its guess; then the generator learns the target. */
  backward(target: Float32Array, rows: number, batch: number): Float32Array | undefined {
    const inputGradient = this.#locked.backward(this.#mix(target, rows), rows, batch);
    this.#observe(rows, batch);
    this.health = this.#learn(target, rows, batch);
    return inputGradient;
  }

  /** What `backward` would answer, without changing any state. */
  rehearseBackward(target: Float32Array, rows: number): Float32Array | undefined {
    return this.#locked.rehearseBackward(this.#mix(target, rows), rows);
  }

  /** The output with running statistics, rows × outputs. */
  evaluate(example: Example): Float32Array {
    return this.#locked.evaluate(example);
  }

  /** What its own classifier makes of an output of `evaluate`, as the loss takes it; undefined where it has none. */
  classify(output: Float32Array, rows: number): Float32Array | undefined {
    return this.#generator.classify?.(output, rows);
  }

  state(): LayerState {
    const { tensors, counters } = this.#locked.state();
    return {
      tensors: {
        ...tensors,
        ...named("generator", this.#generator.tensors()),
        ...named("optimizer.generator", this.#generator.optimizerTensors()),
      },
      counters: { ...counters, "generator.steps": this.#generator.steps },
    };
  }

  /** Copies in. Throws an Error listing missing and mis-sized names, and then has changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
    this.#generator.steps = state.counters["generator.steps"]!;
  }

  #observe(rows: number, batch: number): void {
    if (this.#options.learning.method === "frozen") return;
    // Locked layers learn from every batch.
    this.#generator.observe?.(this.#evidence(rows), observeRates(this.#options, batch), batch + 1);
  }

  #learn(target: Float32Array, rows: number, batch: number): GeneratorHealth {
    const { learning, batches } = this.#options;
    if (learning.method === "frozen") return this.#generator.measure(this.#evidence(rows), target);
    return this.#generator.learn(this.#evidence(rows), target, rateAt(learning.generator, batch, batches));
  }

  #mix(target: Float32Array, rows: number): Float32Array {
    const guess = this.#generator.predict(this.#evidence(rows));
    const length = rows * this.#options.outputs;
    for (let i = 0; i < length; i++)
      this.#mixed[i] = this.#mixture * target[i]! + (1 - this.#mixture) * guess[i]!;
    return this.#mixed;
  }

  #evidence(rows: number): Evidence {
    if (!this.#output) throw new Error("Cannot go backward: there was no forward");
    const seen = { rows, output: this.#output, labels: this.#labels };
    return this.#networkInput ? { ...seen, input: this.#networkInput } : seen;
  }
}
