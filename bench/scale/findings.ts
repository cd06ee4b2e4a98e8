/** A network of which only the protocol is real: what takes time takes it on a clock of its own. */
export interface ScaleOptions {
  readonly layers: number;
  readonly seed: number;
  /** Of virtual time. */
  readonly horizonMs: number;
  /** One way. */
  readonly linkMs: number;
  /** Mean time between failures of one node; infinite: none dies. */
  readonly failureMs: number;
  /** Batches that a layer learns alone before it holds. */
  readonly stalenessBudget: number;
}

export interface ScaleFindings {
  /** Batches that every layer has learnt. */
  readonly learnt: number;
  /** By the first layer alone. */
  readonly fed: number;
  /** Most batches that one layer kept at once, heard or sent. */
  readonly most: number;
  /** Mean age of a target, in batches. */
  readonly staleness: number;
  readonly deaths: number;
  /** From a death to the first batch that the layer learns anew: mean, in milliseconds. */
  readonly backMs: number;
  /** What a layer must never do; empty if none did. */
  readonly violations: readonly string[];
}
