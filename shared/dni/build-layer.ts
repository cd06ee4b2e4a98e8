import type { Kernels, Loss } from "../math/kernels.ts";
import { DecoupledLayer } from "./decoupled-layer.ts";
import type { EvidencePart } from "./generators/linear-generator.ts";
import { Head } from "./head.ts";
import type { LabelOptions } from "./labels.ts";
import { LateLayer } from "./late-layer.ts";
import {
  isLocked,
  type LayerOptions,
  type LayerParts,
  type LayerSpec,
  type LearningOptions,
  type Method,
} from "./layer-options.ts";
import { LocalLayer } from "./local-layer.ts";
import { LockedLayer } from "./locked-layer.ts";
import { MixedLayer } from "./mixed-layer.ts";

/** What the layers of one network have in common; a run's config is one of these. */
export interface NetworkOptions {
  readonly seed: number;
  /** Layer 1 first; the last one is the head. */
  readonly layers: readonly NetworkLayer[];
  readonly loss: Loss;
  /** Only for regression: what 1 of each output is worth in the label's own unit. */
  readonly units?: readonly number[];
  readonly learning: LearningOptions;
  readonly run: {
    readonly batchSize: number;
    readonly batches: number;
    /** Before these batches the network is judged: where gradients come late, all have come by then. */
    readonly evaluateEvery?: number;
    /** Before these batches all targets heard so far are learnt, however pinned; 0 or none: before none. */
    readonly snapshotEvery?: number;
  };
}

export interface NetworkLayer extends LayerSpec {
  /** How this layer learns, where it is not as the others. */
  readonly method?: Method;
}

/** Told apart by `kind`. */
export type Layer = DecoupledLayer | LockedLayer | LateLayer | MixedLayer | LocalLayer | Head;

/** Makes layer `number`, from 1, of the network: newly drawn. Throws a RangeError if there is no such layer. */
export type BuildLayer = (kernels: Kernels, network: NetworkOptions, number: number) => Layer;

/** Layer `number`, from 1, of the network, which is of the kind that gives these parts. */
export function layerOf(kernels: Kernels, network: NetworkOptions, number: number, parts: LayerParts): Layer {
  const options = layerOptions(network, number, parts);
  if (number === network.layers.length) return new Head(kernels, options);
  const { learning } = options;
  if (learning.method === "backprop")
    return learning.late ? new LateLayer(kernels, options, learning.late) : new LockedLayer(kernels, options);
  if (learning.method === "local") return new LocalLayer(kernels, options);
  return isLocked(learning) ? new MixedLayer(kernels, options) : new DecoupledLayer(kernels, options);
}

/** How layer `number`, from 1, learns. */
export function learningOfLayer(
  { layers, learning }: Pick<NetworkOptions, "layers" | "learning">,
  number: number,
): LearningOptions {
  const { method = learning.method } = layers[number - 1]!;
  const evidence = evidenceFor(method, learning.generator.evidence);
  const { form, ...generator } = learning.generator;
  // Blind to labels, it cannot classify.
  const isFit = form !== undefined && method !== "dni";
  return { ...learning, method, generator: { ...generator, evidence, ...(isFit && { form }) } };
}

/** A layer whose method is its own may not look at what that method is blind to, and must at what it is conditioned on. */
function evidenceFor(method: Method, evidence: readonly EvidencePart[]): readonly EvidencePart[] {
  if (method === "cdni" && !evidence.includes("labels")) return [...evidence, "labels"];
  if (method !== "dni") return evidence;
  const others = evidence.filter((part) => part !== "labels");
  return others.length > 0 ? others : ["output"];
}

/** Decay moves weights without a gradient; a frozen hidden layer stays as drawn. */
function asDrawn(learning: LearningOptions, isHidden: boolean): LearningOptions {
  if (learning.method !== "frozen" || !isHidden) return learning;
  const { decay: _, ...layer } = learning.layer;
  return { ...learning, layer };
}

/** What its labels are. */
export function labelsOf({ layers, loss }: Pick<NetworkOptions, "layers" | "loss">): LabelOptions {
  const { outputs, positions = 1 } = layers.at(-1)!;
  return { loss, labelWidth: outputs, labelPositions: positions };
}

function layerOptions(network: NetworkOptions, number: number, parts: LayerParts): LayerOptions {
  const { layers, units, run, seed } = network;
  const learning = asDrawn(learningOfLayer(network, number), number < layers.length);
  return {
    ...layers[number - 1]!,
    layer: number,
    headLayer: layers.length,
    parts,
    ...labelsOf(network),
    networkInputWidth: learning.generator.evidence.includes("input") ? layers[0]!.inputs : 0,
    maxRows: run.batchSize,
    seed,
    batches: run.batches,
    learning,
    // A local layer has no use for an answer.
    wantInputGradient: number > 1 && learningOfLayer(network, number - 1).method !== "local",
    ...(units && { units }),
  };
}
