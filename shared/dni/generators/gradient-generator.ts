import type { Tensors } from "../../math/parameter.ts";
import { rateAt } from "../../math/schedule.ts";
import type { Evidence } from "../evidence.ts";
import type { LayerOptions } from "../layer-options.ts";
import type { GeneratorHealth } from "./generator-health.ts";

/** What a batch's number picks from the schedules: of the layer, and of its generator. */
export interface ObserveRates {
  readonly layer: number;
  readonly generator: number;
}

/** Guesses the gradient at its layer's output from evidence, and learns to. Untrained it guesses zero, but for a bent head. */
export interface GradientGenerator {
  /** Regression steps so far. State like the weights: Adam's next step depends on it. */
  steps: number;

  /** The syntheticGradient, rows × outputs: the generator's own array, valid until the next call of any method. */
  predict(evidence: Evidence): Float32Array;

  /**
   * One step of regression on ½ Σ (s − t)² an example, its mean over the batch; s is guessed afresh, with the weights as
   * they now are. The health is that of this guess, from before the step.
   */
  learn(evidence: Evidence, target: Float32Array, rate: number): GeneratorHealth;

  /** The health that `learn` would report, without learning. */
  measure(evidence: Evidence, target: Float32Array): GeneratorHealth;

  /**
   * What can be learnt of the batch of the last guess at once, without its target, where there is such a thing; `step` of
   * the optimizer counts from 1.
   */
  observe?(evidence: Evidence, rates: ObserveRates, step: number): void;

  /** What its own classifier makes of this output, rows × labels, as the loss takes it; where it has one. Changes no state. */
  classify?(output: Float32Array, rows: number): Float32Array;

  tensors(): Tensors;
  optimizerTensors(): Tensors;
}

/** The rates at batch `batch` of a layer with these options. */
export function observeRates(
  { learning, batches }: Pick<LayerOptions, "learning" | "batches">,
  batch: number,
): ObserveRates {
  return {
    layer: rateAt(learning.layer, batch, batches),
    generator: rateAt(learning.generator, batch, batches),
  };
}
