import type { WorkerName } from "./worker-name.ts";

/**
 * When what became of the batch, in milliseconds since 1970 with their fractions, by the clock of the worker's machine:
 * it was received, its work began, its output was there (where the weights moved only later), the weights had moved, its
 * output was handed to the network, what its successor said of it came, and the generator had learnt from that.
 */
export const MOMENTS = ["received", "began", "computed", "updated", "sent", "answered", "learned"] as const;
export type Moment = (typeof MOMENTS)[number];

/** A matrix, made small: the first examples, and means of neighbouring columns; of weights the root of mean squares. */
export interface Picture {
  /** Of the matrix itself. */
  readonly of: readonly [rows: number, columns: number];
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** How far a tensor of weights moved, and how long it was: Euclidean norms. */
export interface Moved {
  readonly name: string;
  readonly by: number;
  readonly from: number;
}

/** `input`, `output`: activations. `guess`: the gradient at the output that was followed. `weights`: how far which moved. */
export const PICTURES = ["input", "output", "guess", "target", "weights"] as const;

/** What one worker saw of one batch. */
export interface Seen {
  readonly batch: number;
  /**
   * decoupled: guesses. local: has a head of its own. head: has the loss. locked: waits for its target. late: follows
   * targets of batches before. Undefined for the source.
   */
  readonly learns?: "decoupled" | "local" | "head" | "locked" | "late";
  readonly moments: { readonly [Name in Moment]?: number };
  /** Examples of the batch. */
  readonly rows?: number;
  readonly loss?: number;
  /** Of the guess and its target, over all of both. */
  readonly cosine?: number;
  readonly generatorError?: number;
  /** Updates between that of this batch and its answer. */
  readonly staleness?: number;
  readonly moved?: readonly Moved[];
  readonly pictures?: { readonly [Name in (typeof PICTURES)[number]]?: Picture };
  /** Why it saw nothing. */
  readonly refusal?: string;
}

/** As the hub passes it on. */
export type SeenBy = Seen & { readonly worker: WorkerName };
