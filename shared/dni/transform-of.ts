import { DenseLayer } from "../math/dense-layer.ts";
import type { Kernels } from "../math/kernels.ts";
import type { Transform } from "../math/transform.ts";
import type { LayerOptions } from "./layer-options.ts";

/** What a layer with these options computes, newly drawn. */
export function transformOf(kernels: Kernels, options: LayerOptions): Transform {
  const { inputs, outputs, nonlinearity, batchNorm, maxRows, seed, layer, learning } = options;
  const optimizer = learning.layer;
  return new DenseLayer(kernels, {
    inputs,
    outputs,
    nonlinearity,
    batchNorm,
    maxRows,
    seed,
    layer,
    optimizer,
  });
}
