import { DenseLayer } from "../math/dense-layer.ts";
import { wholeFrom } from "../schema/fields.ts";
import { activated, countParameters, MOST_FLOATS } from "./common-fields.ts";
import { onnxActivated, onnxProduct, permuted, torchActivated } from "./elsewhere.ts";
import { layerKind } from "./layer-kind.ts";

export const dense = layerKind({
  about: "Every output sees every input. The default.",
  canBeHead: true,
  fields: {
    inputs: wholeFrom(1, MOST_FLOATS)
      .optional()
      .describe(
        "Floats per example it takes; may be left out, must agree with what comes before where stated.",
      ),
    outputs: wholeFrom(1, MOST_FLOATS).describe(
      "Floats per example it gives; in the head, the width of the labels.",
    ),
    ...activated,
  },

  size({ inputs, outputs }, given, refuse, number) {
    if (inputs !== undefined && given !== undefined && inputs !== given.width)
      refuse("inputs", inputs, `layer ${number} takes ${inputs} inputs, ${given.giver} gives ${given.width}`);
    return { inputs: inputs ?? given?.width ?? 0, outputs };
  },

  transform(kernels, { inputs, outputs, nonlinearity, batchNorm, maxRows, seed, layer, learning }) {
    const optimizer = learning.layer;
    return new DenseLayer(kernels, {
      ...{ inputs, outputs, nonlinearity, batchNorm, maxRows, seed, layer, optimizer },
    });
  },

  onnx(graph, input, layer, tensors) {
    const product = onnxProduct(graph, input, tensors.weight!, layer.outputs);
    const affine = tensors.bias ? graph.add("Add", [product, graph.floats(tensors.bias)]) : product;
    return onnxActivated(graph, affine, layer, tensors);
  },

  torch({ inputs, outputs }, tensors, { image }) {
    const { height, width, channels } = image ?? { height: 1, width: 1, channels: inputs };
    const weight = { shape: [height, width, channels, outputs], values: tensors.weight! };
    const { values } = permuted(weight, [3, 2, 0, 1]);
    return { "linear.weight": { shape: [outputs, inputs], values }, ...torchActivated("linear", tensors) };
  },

  describe({ inputs, outputs, batchNorm }) {
    return { what: "", parameters: countParameters(inputs, outputs, batchNorm) };
  },
});
