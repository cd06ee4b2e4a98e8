import type { Tensors } from "../math/parameter.ts";
import { Stack } from "../math/stack.ts";
import { Embedding } from "../math/transformer/embedding.ts";
import { wholeFrom } from "../schema/fields.ts";
import { blockParameters, blockTransform, depth, heads, refuseSequenceEvidence } from "./block.ts";
import { onnxBlock, torchBlock } from "./block-elsewhere.ts";
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

  onnx(graph, input, layer, tensors) {
    const { width, heads } = layer.own as unknown as Own;
    const { token, place } = heads === undefined ? tensors : partOf(tensors, "embedding");
    const ids = graph.add("Cast", [input], { to: ONNX_INT64 });
    const table = graph.floats(token!, [token!.length / width, width]);
    const vectors = graph.add("Gather", [table, ids], { axis: 0 });
    const placed = graph.add("Add", [vectors, graph.floats(place!, [layer.positions!, width])]);
    const flat = graph.reshape(placed, [-1, layer.outputs]);
    return heads === undefined ? flat : onnxBlock(graph, flat, layer, partOf(tensors, "block"));
  },

  torch(layer, tensors) {
    const { width, heads } = layer.own as unknown as Own;
    const { token, place } = heads === undefined ? tensors : partOf(tensors, "embedding");
    const table = (values: Float32Array) => ({ shape: [values.length / width, width], values });
    const block = heads === undefined ? {} : torchBlock(layer, partOf(tensors, "block"));
    return { "token.weight": table(token!), "place.weight": table(place!), ...block };
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

/** The tensors of one part of a stack. */
function partOf(tensors: Tensors, part: string): Tensors {
  const named = Object.entries(tensors).filter(([name]) => name.startsWith(`${part}.`));
  return Object.fromEntries(named.map(([name, values]) => [name.slice(part.length + 1), values]));
}

/** Of ONNX's types. */
const ONNX_INT64 = 7;

interface Own {
  readonly width: number;
  readonly vocabulary: number;
  readonly heads?: number;
}

/** So far from the number of the layer is that of the block within it, where weights are drawn. */
const BLOCK_DRAWS_APART = 3_000_000;
