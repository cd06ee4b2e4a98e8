import { ConvLayer } from "../math/conv-layer.ts";
import { DenseLayer } from "../math/dense-layer.ts";
import type { Kernels } from "../math/kernels.ts";
import type { Transform } from "../math/transform.ts";
import type { LayerOptions } from "./layer-options.ts";

/** What a layer with these options computes, newly drawn. */
export function transformOf(kernels: Kernels, options: LayerOptions): Transform {
  const { inputs, outputs, conv, nonlinearity, batchNorm, maxRows, seed, layer, learning } = options;
  const common = { nonlinearity, batchNorm, maxRows, optimizer: learning.layer };
  if (conv) return new ConvLayer(kernels, { ...common, ...conv, seed: [seed, layer] });
  return new DenseLayer(kernels, { ...common, inputs, outputs, seed, layer });
}
