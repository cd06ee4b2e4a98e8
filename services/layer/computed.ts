import type { Tensor } from "../../shared/wire/frames.ts";
import type { LayerDtypes } from "./inspector.ts";

export interface WorkOptions {
  /** Most batches whose target is still to come. */
  readonly ticketsKept: number;
  /** What was sent of so many batches is kept; 0 unless given. */
  readonly sentKept?: number;
  readonly dtypes: LayerDtypes;
}

/** What a layer made of a batch, in floats; a head has no output. */
export interface Result {
  readonly output?: Float32Array;
  readonly inputGradient: Float32Array | undefined;
}

/**
 * What a layer computed of a batch, for its successor. It lies in the layer's memory until the next is computed.
 */
export interface Output {
  /** As it travels. */
  readonly tensor: Tensor;
  /** As it was before any rounding; only of what was computed now. */
  readonly values?: Float32Array;
}

/** `answer`: its input gradient, for the predecessor; none for the source. The head has no output to pass on. */
export interface Computed {
  readonly answer: Tensor | undefined;
  readonly output: Output | undefined;
}

/** A batch that goes on once more, and the ticket under which its answer is learnt from. */
export interface Sending {
  readonly batch: number;
  readonly ticket: number;
}
