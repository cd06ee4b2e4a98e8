import { ConvGenerator } from "../dni/generators/conv-generator.ts";
import { generatorOf } from "../dni/generators/generator-of.ts";
import { oneHotView } from "../dni/labels.ts";
import type { LayerSpec } from "../dni/layer-options.ts";
import { ConvLayer } from "../math/conv-layer.ts";
import type { Tensors } from "../math/parameter.ts";
import { patchesOf } from "../math/patches.ts";
import { wholeFrom } from "../schema/fields.ts";
import { activated, countParameters, MOST_FLOATS } from "./common-fields.ts";
import { onnxActivated, permuted, type ShapedTensor, torchActivated } from "./elsewhere.ts";
import { type Given, type ImageSize, layerKind, type Refuse, type Sized } from "./layer-kind.ts";

/** What a config says of a convolution. */
interface Written {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: number | undefined;
}

export const conv = layerKind({
  about: "A convolution: takes and gives images. Not for the head.",
  canBeHead: false,
  fields: {
    channels: wholeFrom(1, 4096).describe(
      "Of the images it gives; those it takes follow from what comes before.",
    ),
    kernel: wholeFrom(1, 31).default(5).describe("Rows and columns that one output sees."),
    stride: wholeFrom(1, 31)
      .default(1)
      .describe("From one place to the next; with 2, images shrink to half."),
    padding: wholeFrom(0, 15)
      .optional()
      .describe("Zeros on each side, fewer than the kernel has rows. Default half the kernel, rounded down."),
    ...activated,
  },

  size(written, given, refuse, number) {
    if (!given) return undefined;
    if (given.image) return sizeOn(given.image, written, given, refuse, number);
    const what = `layer ${number} takes images, ${given.giver} gives ${given.width} floats that are none`;
    refuse("kind", "conv", what);
    return undefined;
  },

  entries({ conv, nonlinearity, batchNorm }) {
    const { kernel, stride, padding } = conv!.shape;
    return { channels: conv!.channels, kernel, stride, padding, nonlinearity, batchNorm };
  },

  gives(layer) {
    return { width: layer.outputs, image: imageOf(layer) };
  },

  transform(kernels, { conv, nonlinearity, batchNorm, maxRows, seed, layer, learning }) {
    const common = { nonlinearity, batchNorm, maxRows, optimizer: learning.layer };
    return new ConvLayer(kernels, { ...common, ...conv!, seed: [seed, layer] });
  },

  generator(kernels, options, widths) {
    const { learning, maxRows, seed, layer } = options;
    const { evidence, hidden = [], batchNorm = true, form } = learning.generator;
    if (form === "classifying") return generatorOf(kernels, options, widths);
    const labels = evidence.includes("labels") ? widths.labels : 0;
    const viewLabels = labels > 0 && { viewLabels: oneHotView(kernels, options) };
    const seen = { image: imageOf(options), labels, hidden, batchNorm, ...viewLabels };
    return new ConvGenerator(kernels, { ...seen, maxRows, seed, layer, optimizer: learning.generator });
  },

  /** Images of the output, and labels as planes; nothing else has their size. */
  refuseEvidence(evidence) {
    const isSeen =
      evidence.includes("output") && evidence.every((part) => part === "output" || part === "labels");
    return isSeen ? undefined : "a convolution, looks at output, or at output and labels";
  },

  /** ONNX has channels first: each layer turns its images there and back, and what runs it drops turns that cancel. */
  onnx(graph, input, layer, tensors) {
    const { shape, channels } = layer.conv!;
    const { height, width, kernel, stride, padding } = shape;
    const image = graph.reshape(input, [-1, height, width, shape.channels]);
    const first = graph.add("Transpose", [image], { perm: [0, 3, 1, 2] });
    const weight = torchWeight(layer, tensors);
    const constants = [graph.floats(weight.values, weight.shape)];
    if (tensors.bias) constants.push(graph.floats(tensors.bias));
    const convolved = graph.add("Conv", [first, ...constants], {
      ...{ kernel_shape: [kernel, kernel], strides: [stride, stride] },
      pads: [padding, padding, padding, padding],
    });
    const activated = onnxActivated(graph, convolved, layer, tensors);
    const last = graph.add("Transpose", [activated], { perm: [0, 2, 3, 1] });
    return graph.reshape(last, [-1, patchesOf(shape).places * channels]);
  },

  torch(layer, tensors) {
    return { "conv.weight": torchWeight(layer, tensors), ...torchActivated("conv", tensors) };
  },

  describe({ conv, batchNorm }) {
    const { kernel, channels } = conv!.shape;
    // One set of weights for all places of an image.
    return {
      what: "convolution",
      parameters: countParameters(kernel ** 2 * channels, conv!.channels, batchNorm),
    };
  },
});

/** Channels out × channels in × rows × columns. */
function torchWeight({ conv }: LayerSpec, tensors: Tensors): ShapedTensor {
  const { kernel, channels } = conv!.shape;
  const shape = [kernel, kernel, channels, conv!.channels];
  return permuted({ shape, values: tensors.weight! }, [3, 2, 0, 1]);
}

/** The image that it gives. */
function imageOf({ conv }: LayerSpec): ImageSize {
  const { down, across } = patchesOf(conv!.shape);
  return { height: down, width: across, channels: conv!.channels };
}

/** Undefined where the kernel cannot walk over the image. */
function sizeOn(
  image: ImageSize,
  { channels, kernel, stride, padding = Math.floor(kernel / 2) }: Written,
  given: Given,
  refuse: Refuse,
  number: number,
): Sized | undefined {
  if (padding >= kernel) {
    refuse("padding", padding, `a kernel of ${kernel} would see nothing but padding, expected less`);
    return undefined;
  }
  const { height, width } = image;
  if (kernel > Math.min(height, width) + 2 * padding) {
    const what = `${given.giver} gives images of ${height}×${width}, with padding ${padding} too small for it`;
    refuse("kernel", kernel, what);
    return undefined;
  }
  const conv = { shape: { ...image, kernel, stride, padding }, channels };
  const outputs = patchesOf(conv.shape).places * channels;
  if (outputs > MOST_FLOATS) {
    const what = `layer ${number} would give ${outputs} floats an example, at most ${MOST_FLOATS}`;
    refuse("channels", channels, what);
  }
  return { inputs: given.width, outputs, conv };
}
