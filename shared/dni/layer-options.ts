import type { Convolution } from "../math/conv-layer.ts";
import type { Kernels, Nonlinearity } from "../math/kernels.ts";
import type { OptimizerOptions } from "../math/optimizer.ts";
import type { RateOptions } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import type { EvidenceWidths } from "./evidence.ts";
import type { GradientGenerator } from "./generators/gradient-generator.ts";
import type { EvidencePart } from "./generators/linear-generator.ts";
import type { LabelOptions } from "./labels.ts";

/** What a layer is, apart from how it learns: part of a Config. Inputs and outputs are floats per example. */
export interface LayerSpec {
  /** See shared/layers. Not there: "conv" where there is `conv`, else "dense". */
  readonly kind?: string;
  /** SHA-256 of the module that `kind` is the path of; only where it is one. */
  readonly module?: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Only for sequences: positions of an example, each with as many of its outputs; in the head each is judged by itself. */
  readonly positions?: number;
  /** Only for "conv": it takes and gives images, rows × columns × channels. */
  readonly conv?: Convolution;
  /** What its kind, if it is a newer one, needs to know besides. Plain data. */
  readonly own?: Readonly<Record<string, unknown>>;
  readonly nonlinearity: Nonlinearity;
  readonly batchNorm: boolean;
}

/** What makes the parts of a layer; its kind is one. Both are newly drawn, from seed and layer number alone. */
export interface LayerParts {
  transform(kernels: Kernels, options: LayerOptions): Transform;
  /** Guesses dL/d(output). `widths`: floats per example of what it may look at; of labels one for each of the head's outputs. */
  generator(kernels: Kernels, options: LayerOptions, widths: EvidenceWidths): GradientGenerator;
}

/** All that one layer needs to know of its network. */
export interface LayerOptions extends LayerSpec, LabelOptions {
  /** Layer number, from 1. */
  readonly layer: number;
  /** The number of the network's head, whose draws the heads of hidden layers share. */
  readonly headLayer: number;
  readonly parts: LayerParts;
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
  /** Only for regression: see NetworkOptions. */
  readonly units?: readonly number[];
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
      /** Linear unless given. Classifying, bent: see ClassifyingGenerator, BentHeadGenerator; they look at output and labels. */
      readonly form?: "linear" | "classifying" | "bent";
      /** In the hidden layers: batch normalisation. True unless given. */
      readonly batchNorm?: boolean;
    };
  /** λ: layers with a generator wait, and follow λ · target + (1 − λ) · guess. 0 unless given: they wait for nobody. */
  readonly mixture?: number;
  /** Backprop that does not wait: gradients come late. None where it does. */
  readonly late?: LateOptions;
  /** With which every layer learns from a batch, each by itself. 1 unless given. */
  readonly updateProbability?: number;
  /** Layers learn from guessed inputs, and wait for nobody at all (complete unlock). */
  readonly inputGenerator?: InputGeneratorOptions;
}

export interface LateOptions {
  /** A batch goes backward through the weights of its own forward pass, kept so long, or through the present ones. */
  readonly weights: "stashed" | "present";
  /** Over so many batches the rate rises from rate / staleness to the rate; 0 unless given. */
  readonly slowFor?: number;
}

export interface InputGeneratorOptions {
  /** By Adam, on the schedule of the layers. */
  readonly rate: number;
  /** Widths of rectified layers within it, with batch normalisation; none for a linear one. */
  readonly hidden: readonly number[];
}

/** Backprop waits for its gradient, and so does a mixture with it. */
export function isLocked({ method, mixture = 0 }: Pick<LearningOptions, "method" | "mixture">): boolean {
  return method === "backprop" || (hasGenerator(method) && mixture > 0);
}

export function hasGenerator(method: Method): boolean {
  return method === "dni" || method === "cdni" || method === "frozen";
}
