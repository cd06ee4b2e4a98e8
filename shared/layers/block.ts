import type { EvidencePart } from "../dni/generators/linear-generator.ts";
import type { LayerOptions } from "../dni/layer-options.ts";
import type { Kernels } from "../math/kernels.ts";
import type { Transform } from "../math/transform.ts";
import { TransformerBlock } from "../math/transformer/transformer-block.ts";
import { wholeFrom } from "../schema/fields.ts";
import { onnxBlock, torchBlock } from "./block-elsewhere.ts";
import { layerKind } from "./layer-kind.ts";

export const heads = wholeFrom(1, 256);
export const depth = wholeFrom(1, 1024)
  .default(4)
  .describe(
    "Blocks of the whole network: the deeper, the smaller the first weights at the end of each branch.",
  );

export const block = layerKind({
  about:
    "A transformer block: causal attention, then a feed-forward part; takes and gives sequences of vectors.",
  canBeHead: false,
  fields: { heads: heads.describe("Attention heads; they share the width of a position."), depth },

  size({ heads, depth }, given, refuse, number) {
    if (!given) return undefined;
    const { positions, vocabulary } = given.sequence ?? {};
    if (positions === undefined || vocabulary !== undefined) {
      refuse("kind", "block", `layer ${number} takes sequences of vectors, ${given.giver} gives none`);
      return undefined;
    }
    const width = given.width / positions;
    if (width % heads !== 0)
      refuse("heads", heads, `${width} floats a position do not divide into ${heads} heads`);
    return { inputs: given.width, outputs: given.width, positions, own: { heads, depth } };
  },

  gives({ outputs, positions }) {
    return { width: outputs, sequence: { positions: positions! } };
  },

  transform: (kernels, options) => blockTransform(kernels, options, 0),

  onnx: onnxBlock,

  torch: torchBlock,

  refuseEvidence: refuseSequenceEvidence,

  describe({ outputs, positions }) {
    return { what: "transformer block", parameters: blockParameters(outputs / positions!) };
  },
});

/** `apart`: from the number of the layer, where weights are drawn. */
export function blockTransform(kernels: Kernels, options: LayerOptions, apart: number): Transform {
  const { outputs, positions, own, maxRows, seed, layer, learning } = options;
  const { heads, depth } = own as { readonly heads: number; readonly depth: number };
  return new TransformerBlock(kernels, {
    positions: positions!,
    width: outputs / positions!,
    ...{ heads, depth, maxRows, seed },
    layer: apart + layer,
    optimizer: learning.layer,
  });
}

/** Why a generator of a sequence cannot look at this. */
export function refuseSequenceEvidence(evidence: readonly EvidencePart[]): string | undefined {
  const isSeen = [...evidence].sort().join() === "labels,output";
  return isSeen ? undefined : "which gives a sequence, looks at output and labels";
}

/** Four products of width × width for attention, eight for the feed-forward part, two gains. */
export function blockParameters(width: number): number {
  return 12 * width * width + 2 * width;
}
