import type { LayerSpec } from "../dni/layer-options.ts";
import { kindOf } from "./kinds.ts";

/** A layer as its worker's card and the report show it. */
interface LayerView {
  readonly inputs: number;
  readonly outputs: number;
  /** "convolution, batch norm, relu". */
  readonly what: string;
  readonly parameters: number;
}

export function viewOfLayer(layer: LayerSpec): LayerView {
  const { inputs, outputs, batchNorm, nonlinearity } = layer;
  const kind = kindOf(layer);
  const { what, parameters } = kind.describe(layer);
  const words = [
    ...(what ? [what] : []),
    ...(batchNorm ? ["batch norm"] : []),
    ...("nonlinearity" in kind.fields ? [nonlinearity] : []),
  ];
  return { inputs, outputs, what: words.join(", "), parameters };
}
