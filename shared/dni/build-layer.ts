import type { Kernels, Loss, Nonlinearity } from "../math/kernels.ts";
import { DecoupledLayer } from "./decoupled-layer.ts";
import { Head } from "./head.ts";
import type { LayerOptions, LearningOptions } from "./layer-options.ts";
import { LockedLayer } from "./locked-layer.ts";

/** What the layers of one network have in common; a run's config is one of these. */
export interface NetworkOptions {
  readonly seed: number;
  /** Layer 1 first; the last one is the head. */
  readonly layers: readonly {
    readonly inputs: number;
    readonly outputs: number;
    readonly nonlinearity: Nonlinearity;
    readonly batchNorm: boolean;
  }[];
  readonly loss: Loss;
  readonly learning: LearningOptions;
  readonly run: { readonly batchSize: number; readonly batches: number };
}

/** Told apart by `kind`. */
export type Layer = DecoupledLayer | LockedLayer | Head;

/** Layer `number`, from 1, of the network: newly drawn. Throws a RangeError if there is no such layer. */
export function buildLayer(kernels: Kernels, network: NetworkOptions, number: number): Layer {
  const options = layerOptions(network, number);
  if (number === network.layers.length) return new Head(kernels, options);
  if (network.learning.method === "backprop") return new LockedLayer(kernels, options);
  return new DecoupledLayer(kernels, options);
}

function layerOptions(network: NetworkOptions, number: number): LayerOptions {
  const { layers, learning, loss, run, seed } = network;
  const layer = layers[number - 1];
  if (!layer) throw new RangeError(`Cannot build layer ${number}: the network has ${layers.length} layers`);
  return {
    ...layer,
    layer: number,
    labelWidth: layers.at(-1)!.outputs,
    networkInputWidth: learning.generator.evidence.includes("input") ? layers[0]!.inputs : 0,
    maxRows: run.batchSize,
    seed,
    batches: run.batches,
    learning,
    wantInputGradient: number > 1,
    loss,
  };
}
