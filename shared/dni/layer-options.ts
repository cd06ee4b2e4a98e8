import type { Convolution } from "../math/conv-layer.ts";
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
  /** Its inputs and outputs are images; undefined for a dense layer. */
  readonly conv?: Convolution;
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
  /** Used by the head, and by layers that judge by themselves. */
  readonly loss: Loss;
}

/**
 * How a hidden layer comes by the gradient that moves it. "dni" and "cdni" differ only in the evidence; in "frozen" the
 * generators never learn, so hidden layers stay as drawn; "local" has a head of its own.
 */
export type Method = "dni" | "cdni" | "backprop" | "frozen" | "local";

export interface LearningOptions {
  readonly method: Method;
  readonly layer: OptimizerOptions & RateOptions;
  readonly generator: OptimizerOptions &
    RateOptions & {
      readonly evidence: readonly EvidencePart[];
      /** Widths of rectified layers within the generator; none unless given. */
      readonly hidden?: readonly number[];
      /** Linear unless given. Classifying: see ClassifyingGenerator; it looks at output and labels. */
      readonly form?: "linear" | "classifying";
      /** In the hidden layers: batch normalisation. True unless given. */
      readonly batchNorm?: boolean;
    };
  /** λ: layers with a generator wait, and follow λ · target + (1 − λ) · guess. 0 unless given: they wait for nobody. */
  readonly mixture?: number;
  /** With which every layer learns from a batch, each by itself. 1 unless given. */
  readonly updateProbability?: number;
  /** Layers learn from guessed inputs, and wait for nobody at all (complete unlock). */
  readonly inputGenerator?: InputGeneratorOptions;
}

export interface InputGeneratorOptions {
  /** By Adam, on the schedule of the layers. */
  readonly rate: number;
  /** Widths of rectified layers within it, with batch normalisation; none for a linear one. */
  readonly hidden: readonly number[];
}

/** Backprop waits for its gradient, and so does a mixture with it. */
export function isLocked({ method, mixture = 0 }: LearningOptions): boolean {
  return method === "backprop" || (hasGenerator(method) && mixture > 0);
}

export function hasGenerator(method: Method): boolean {
  return method === "dni" || method === "cdni" || method === "frozen";
}
