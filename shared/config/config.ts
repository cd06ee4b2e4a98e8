import type { DataConfig } from "../data/data-set-kind.ts";
import type { NetworkLayer } from "../dni/build-layer.ts";
import type { EvidencePart } from "../dni/generators/linear-generator.ts";
import type { LateOptions, Method } from "../dni/layer-options.ts";
import type { LinkTimings } from "../link/timings.ts";
import type { KernelsName } from "../math/choose-kernels.ts";
import type { Loss } from "../math/kernels.ts";
import type { LinkDtype } from "../wire/frames.ts";

export type { DataConfig } from "../data/data-set-kind.ts";
export type { EvidencePart } from "../dni/generators/linear-generator.ts";
export type { Method } from "../dni/layer-options.ts";

/** One experiment, complete: every default filled in, every width checked to chain. What `configs/*.yaml` becomes. */
export interface Config {
  readonly name: string;
  readonly seed: number;
  readonly data: DataConfig;
  /** Layer 1 first; the last one is the head. */
  readonly layers: readonly LayerConfig[];
  readonly loss: Loss;
  /** Only for regression: what 1 of each output is worth in the label's own unit. It follows from `data`. */
  readonly units?: readonly number[];
  readonly learning: LearningConfig;
  readonly run: RunConfig;
  readonly delivery: DeliveryConfig;
  /** What activations and gradients travel as. */
  readonly wire: { readonly dtype: LinkDtype };
  readonly link: LinkTimings;
  readonly compute: { readonly kernels: KernelsName };
  /** Texts of the user's own modules by name ("./my-layer.ts"); only where there are some. */
  readonly modules?: Readonly<Record<string, string>>;
}

export type LayerConfig = NetworkLayer;

export interface LearningConfig {
  readonly method: Method;
  readonly layer: OptimizerConfig;
  readonly generator: OptimizerConfig & {
    readonly evidence: readonly EvidencePart[];
    /** Only where the generator is not linear: widths of its hidden layers, and whether they normalise. */
    readonly hidden?: readonly number[];
    readonly batchNorm?: boolean;
    /** Linear in the evidence, or in its hidden layers; or see ClassifyingGenerator and BentHeadGenerator. */
    readonly form: "linear" | "classifying" | "bent";
  };
  /** Only where layers wait for the true gradient to mix it with their guess: its share, above 0. */
  readonly mixture?: number;
  /** Only for backprop whose gradients come late: how it takes them. */
  readonly late?: LateOptions;
  /** Only where layers do not learn from every batch: below 1. */
  readonly updateProbability?: number;
  /** Only where layers learn from guessed inputs, which is for one process; hidden: widths of rectified layers. */
  readonly inputGenerator?: { readonly rate: number; readonly hidden: readonly number[] };
}

export interface OptimizerConfig {
  readonly optimizer: "adam" | "nadam" | "sgd";
  readonly rate: number;
  /** For sgd only; 0 is plain descent. */
  readonly momentum: number;
  /** Not for sgd, and only where it is not 0.9. */
  readonly beta1?: number;
  /** Not for sgd, and only where it is not 0.999. */
  readonly beta2?: number;
  /** Only where the weights of layers decay: times the rate. */
  readonly decay?: number;
  /** Only where there is one: the largest norm of a layer's gradient. */
  readonly clip?: number;
  readonly schedule: ScheduleConfig;
}

export type ScheduleConfig =
  | { readonly kind: "constant" }
  /** Up over `warmup` batches, then over the rest of the run by half a cosine to the share `floor` of the rate; 0 unless given. */
  | { readonly kind: "cosine"; readonly warmup?: number; readonly floor?: number }
  /** Times `factor` at each of these batches. */
  | { readonly kind: "step"; readonly at: readonly number[]; readonly factor: number };

export interface RunConfig {
  readonly batchSize: number;
  /** Batches of the whole run (epochs × batches per epoch, where epochs were given). */
  readonly batches: number;
  /** Evaluate on held-out data after each that many batches, and always at the end. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
  /** Batches between snapshots of all layers at once; 0 for none. */
  readonly snapshotEvery: number;
}

export interface DeliveryConfig {
  /** Unanswered activations on one link; 1 for backprop that waits. */
  readonly window: number;
  readonly schedule: "free" | { readonly staleness: number };
  /** Batches a layer may apply since the last target it heard, before it holds. */
  readonly stalenessBudget: number;
}
