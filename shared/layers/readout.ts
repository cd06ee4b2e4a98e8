import { NormedDense } from "../math/transformer/normed-dense.ts";
import { wholeFrom } from "../schema/fields.ts";
import { refuseSequenceEvidence } from "./block.ts";
import { MOST_FLOATS } from "./common-fields.ts";
import { onnxLayerNorm, onnxProduct, transposed, vector } from "./elsewhere.ts";
import { layerKind } from "./layer-kind.ts";

export const readout = layerKind({
  about:
    "Layer norm and a product at every position of a sequence, each by itself: the head of a language model.",
  canBeHead: true,
  fields: {
    outputs: wholeFrom(1, MOST_FLOATS).describe(
      "Floats a position gives; in the head, how many ids there are.",
    ),
  },

  size({ outputs }, given, refuse, number) {
    if (!given) return undefined;
    const { positions, vocabulary } = given.sequence ?? {};
    if (positions === undefined || vocabulary !== undefined) {
      refuse("kind", "readout", `layer ${number} takes sequences of vectors, ${given.giver} gives none`);
      return undefined;
    }
    return { inputs: given.width, outputs: positions * outputs, positions, own: { outputs } };
  },

  gives({ outputs, positions }) {
    return { width: outputs, sequence: { positions: positions! } };
  },

  transform(kernels, { inputs, outputs, positions = 1, maxRows, seed, layer, learning }) {
    return new NormedDense(kernels, {
      positions,
      inputs: inputs / positions,
      outputs: outputs / positions,
      maxRows,
      seed: [seed, layer],
      optimizer: learning.layer,
    });
  },

  refuseEvidence: refuseSequenceEvidence,

  onnx(graph, input, { inputs, outputs, positions = 1 }, tensors) {
    const sequence = graph.reshape(input, [-1, positions, inputs / positions]);
    const normed = onnxLayerNorm(graph, sequence, tensors.gamma!);
    const product = onnxProduct(graph, normed, tensors.weight!, outputs / positions);
    return graph.reshape(product, [-1, outputs]);
  },

  torch({ outputs, positions = 1 }, { weight, gamma }) {
    return { "norm.weight": vector(gamma!), "linear.weight": transposed(weight!, outputs / positions) };
  },

  describe({ inputs, outputs, positions = 1 }) {
    const width = inputs / positions;
    return { what: "readout of each position", parameters: (width * outputs) / positions + width };
  },
});
