import type { Score } from "../../shared/math/accuracy.ts";

/** One system trained once, with one seed. */
export interface Trial {
  readonly seed: number;
  /** Evaluations on held-out data, the last one at the end of the run. */
  readonly curve: readonly Evaluation[];
  /** On the examples it was trained on, where they are few and fixed. */
  readonly training?: Score;
  /** From the first batch to the last evaluation. */
  readonly wallSeconds: number;
  /** What computed it; several where layers chose differently. */
  readonly kernels: string;
  /** Of hidden layers with a generator, over the last tenth of the run. */
  readonly health: readonly Health[];
  /** The same against the true gradient of the whole network, where it was looked at. */
  readonly truth?: readonly Health[];
  /** The batch at which its numbers ran away, and it was given up. */
  readonly divergedAt?: number;
}

export interface Evaluation {
  /** Batches it had learnt. */
  readonly batch: number;
  readonly test: Score;
}

/** How good a layer's guesses were: means over the batches that were looked at. */
export interface Health {
  readonly layer: number;
  /** Σ|guess − target|² / Σ|target|²; 1 is no better than guessing zero. */
  readonly error: number;
  /** Between guess and received target. */
  readonly cosine?: number;
}

/** A config, and all its trials. */
export interface System {
  readonly name: string;
  readonly batches: number;
  readonly trials: readonly Trial[];
}
