import { Stack } from "../math/stack.ts";
import { Embedding } from "../math/transformer/embedding.ts";
import { wholeFrom } from "../schema/fields.ts";
import { blockParameters, blockTransform, depth, heads, refuseSequenceEvidence } from "./block.ts";
import { MOST_FLOATS } from "./common-fields.ts";
import { layerKind } from "./layer-kind.ts";

export const embedding = layerKind({
  about: "Turns ids into vectors, one for each id and one for each position; takes sequences of ids.",
  canBeHead: false,
  fields: {
    width: wholeFrom(1, 4096).describe("Floats of a position."),
    heads: heads.optional().describe("With it a transformer block follows in the same layer. Default none."),
    depth,
  },

  size({ width, heads, depth }, given, refuse, number) {
    if (!given) return undefined;
    const { positions, vocabulary } = given.sequence ?? {};
    if (positions === undefined || vocabulary === undefined) {
      refuse("kind", "embedding", `layer ${number} takes sequences of ids, ${given.giver} gives none`);
      return undefined;
    }
    const outputs = positions * width;
    if (outputs > MOST_FLOATS)
      refuse(
        "width",
        width,
        `layer ${number} would give ${outputs} floats an example, at most ${MOST_FLOATS}`,
      );
    if (heads !== undefined && width % heads !== 0)
      refuse("heads", heads, `${width} floats a position do not divide into ${heads} heads`);
    const own = { width, vocabulary, depth, ...(heads !== undefined && { heads }) };
    return { inputs: given.width, outputs, positions, own };
  },

  gives({ outputs, positions }) {
    return { width: outputs, sequence: { positions: positions! } };
  },

  transform(kernels, options) {
    const { positions, own, maxRows, seed, layer, learning } = options;
    const { width, vocabulary, heads } = own as unknown as Own;
    const embedding = new Embedding(kernels, {
      ...{ vocabulary, positions: positions!, width, maxRows, seed, layer, optimizer: learning.layer },
    });
    return heads === undefined
      ? embedding
      : new Stack({ embedding, block: blockTransform(kernels, options, BLOCK_DRAWS_APART) });
  },

  refuseEvidence: refuseSequenceEvidence,

  describe({ positions, own }) {
    const { width, vocabulary, heads } = own as unknown as Own;
    return {
      what: heads === undefined ? "embedding" : "embedding, transformer block",
      parameters: (vocabulary + positions!) * width + (heads === undefined ? 0 : blockParameters(width)),
    };
  },
});

interface Own {
  readonly width: number;
  readonly vocabulary: number;
  readonly heads?: number;
}

/** So far from the number of the layer is that of the block within it, where weights are drawn. */
const BLOCK_DRAWS_APART = 3_000_000;
