import type { Loss, Nonlinearity } from "../math/kernels.ts";
import type { OptimizerOptions } from "../math/optimizer.ts";
import type { RateOptions } from "../math/schedule.ts";
import type { EvidencePart } from "./generator.ts";

/** All that one layer needs to know of its network. */
export interface LayerOptions {
  /** Layer number, from 1. */
  readonly layer: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly nonlinearity: Nonlinearity;
  readonly batchNorm: boolean;
  readonly labelWidth: number;
  /** 0 if no generator looks at the network's input. */
  readonly networkInputWidth: number;
  /** Examples in the largest batch. */
  readonly maxRows: number;
  readonly seed: number;
  /** Of the whole run: the schedules end there. */
  readonly batches: number;
  readonly learning: LearningOptions;
  /** False where nobody is there to hear it (layer 1): it saves a product. */
  readonly wantInputGradient: boolean;
  /** Used by the head only. */
  readonly loss: Loss;
}

export interface LearningOptions {
  /** "dni" and "cdni" differ only in the evidence; in "frozen" the generators never learn, so hidden layers stay as drawn. */
  readonly method: "dni" | "cdni" | "backprop" | "frozen";
  readonly layer: OptimizerOptions & RateOptions;
  readonly generator: OptimizerOptions & RateOptions & { readonly evidence: readonly EvidencePart[] };
}
