import { type Layer, layerOf, type NetworkOptions } from "../dni/build-layer.ts";
import { type ChainOptions, ReferenceChain } from "../dni/reference-chain.ts";
import { TrueGradientProbe } from "../dni/true-gradient-probe.ts";
import type { Kernels } from "../math/kernels.ts";
import { kindOf, partsOf } from "./kinds.ts";

/** Layer `number`, from 1, of the network: newly drawn. Throws a RangeError if there is no such layer. */
export function buildLayer(kernels: Kernels, network: NetworkOptions, number: number): Layer {
  const { layers } = network;
  const layer = layers[number - 1];
  if (!layer) throw new RangeError(`Cannot build layer ${number}: the network has ${layers.length} layers`);
  return layerOf(kernels, network, number, partsOf(kindOf(layer)));
}

/** All layers of the network in one process. */
export function referenceChain(
  kernels: Kernels,
  network: NetworkOptions,
  options: ChainOptions,
): ReferenceChain {
  return new ReferenceChain(kernels, network, options, buildLayer);
}

/** Looks at the layers of a chain, built of the same network. `inputScale`: what a byte of input is worth. */
export function trueGradientProbe(
  kernels: Kernels,
  network: NetworkOptions,
  layers: readonly Layer[],
  inputScale = 1,
): TrueGradientProbe {
  return new TrueGradientProbe(kernels, network, layers, inputScale, buildLayer);
}
