import { ConvLayer } from "../../math/conv-layer.ts";
import type { Kernels } from "../../math/kernels.ts";
import { type Optimizer, type OptimizerOptions, optimizerOf } from "../../math/optimizer.ts";
import { descendAll, memoriesOf, type Parameter, parameterOf, type Tensors } from "../../math/parameter.ts";
import type { Evidence } from "../evidence.ts";
import type { LabelView } from "../labels.ts";
import { named } from "../layer-state.ts";
import { type GeneratorHealth, healthOf } from "./generator-health.ts";
import type { GradientGenerator } from "./gradient-generator.ts";

export interface ConvGeneratorOptions {
  /** What its layer gives: height × width × channels. */
  readonly image: { readonly height: number; readonly width: number; readonly channels: number };
  /** Labels an example, each seen as a plane of its own; 0 for a generator that is blind to them. */
  readonly labels: number;
  /** Of labels that are no floats to multiply with. */
  readonly viewLabels?: LabelView;
  /** Channels of rectified convolutions between the evidence and the guess; none for a linear generator. */
  readonly hidden: readonly number[];
  readonly batchNorm: boolean;
  readonly maxRows: number;
  readonly seed: number;
  /** Of the network's layer that this belongs to. */
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

/** With hidden convolutions; odd, so that with half of it as padding images keep their size. */
const KERNEL = 3;
/** Tells its draws from those of the network's layers. */
const DRAWS = 8;

/**
 * The generator of a convolutional layer: convolutions that keep the size of the images,
 *
 *     syntheticGradient = convolutions(output, labels as planes) + labels · A_y
 *
 * the last of them linear, and zero at the start, as A_y is. A_y has a number for each label and each float of the
 * output: planes alone, constant over an image (Jaderberg et al. 2016), cannot say where in an image a class shows,
 * and guess what a dense successor answers no better than zero. Without hidden convolutions the kernel is 1 and there
 * are no planes: wider ones cost more and learnt no better (docs/decisions.md).
 */
export class ConvGenerator implements GradientGenerator {
  readonly #kernels: Kernels;
  readonly #options: ConvGeneratorOptions;
  /** Floats per example. */
  readonly #outputs: number;
  readonly #convs: readonly ConvLayer[];
  /** The output with the labels behind each place. */
  readonly #planes: Float32Array | undefined;
  readonly #optimizer: Optimizer;
  /** A bias of its own for each label and each float of the output: zero at the start. */
  readonly #labelMap: Parameter | undefined;
  readonly #guess: Float32Array;
  readonly #difference: Float32Array;

  steps = 0;

  constructor(kernels: Kernels, options: ConvGeneratorOptions) {
    const { image, labels, hidden, maxRows } = options;
    const places = image.height * image.width;
    const planes = hidden.length > 0 ? labels : 0;
    this.#kernels = kernels;
    this.#options = options;
    this.#outputs = places * image.channels;
    this.#optimizer = optimizerOf(options.optimizer);
    this.#labelMap = labels > 0 ? parameterOf(kernels, [labels, this.#outputs], this.#optimizer) : undefined;
    this.#guess = kernels.allocate(maxRows * this.#outputs);
    this.#planes = planes > 0 ? kernels.allocate(maxRows * places * (image.channels + labels)) : undefined;
    this.#difference = kernels.allocate(maxRows * this.#outputs);
    const channels = [image.channels + planes, ...hidden, image.channels];
    this.#convs = channels.slice(1).map((_, index) => convOf(kernels, options, channels, index));
  }

  predict(shown: Evidence): Float32Array {
    const evidence = { ...shown, labels: this.#labelsOf(shown) };
    const { rows, output } = evidence;
    const seen = this.#planes ? this.#withPlanes(this.#planes, evidence) : output;
    const guess = this.#convs.reduce((images, conv) => conv.forward(images, rows), seen);
    if (!this.#labelMap) return guess;
    const { labels } = this.#options;
    this.#guess.set(guess);
    const shape = { rows, inner: labels, columns: this.#outputs };
    this.#kernels.multiply(evidence.labels, this.#labelMap.value, this.#guess, shape, { accumulate: true });
    return this.#guess;
  }

  learn(evidence: Evidence, target: Float32Array, rate: number): GeneratorHealth {
    const { rows } = evidence;
    const health = this.measure(evidence, target);
    this.steps++;
    let gradient: Float32Array | undefined = this.#difference;
    for (let index = this.#convs.length - 1; index >= 0; index--)
      gradient = this.#convs[index]!.backward(gradient!, rows, index > 0);
    for (const conv of this.#convs) conv.descend(rate, rows, this.steps);
    this.#learnLabelMap(evidence, rate);
    return health;
  }

  measure(evidence: Evidence, target: Float32Array): GeneratorHealth {
    const guess = this.predict(evidence);
    return healthOf(this.#kernels, guess, target, this.#difference, evidence.rows * this.#outputs);
  }

  tensors(): Tensors {
    const convs = this.#named((conv) => conv.tensors());
    return this.#labelMap ? { ...convs, labelMap: this.#labelMap.value } : convs;
  }

  optimizerTensors(): Tensors {
    const convs = this.#named((conv) => conv.optimizerTensors());
    return this.#labelMap ? { ...convs, ...memoriesOf({ labelMap: this.#labelMap }) } : convs;
  }

  #labelsOf({ labels, rows }: Evidence): Float32Array {
    return this.#options.viewLabels?.(labels, rows) ?? labels;
  }

  #learnLabelMap(evidence: Evidence, rate: number): void {
    if (!this.#labelMap) return;
    const { rows } = evidence;
    const labels = this.#labelsOf(evidence);
    const shape = { rows: this.#options.labels, inner: rows, columns: this.#outputs };
    this.#kernels.multiply(labels, this.#difference, this.#labelMap.gradient, shape, { transposeA: true });
    const step = { rate, scale: 1 / rows, step: this.steps };
    descendAll(this.#kernels, this.#optimizer, [this.#labelMap], step);
  }

  #named(tensorsOf: (conv: ConvLayer) => Tensors): Tensors {
    const all = this.#convs.map((conv, index) => named(`conv${index + 1}`, tensorsOf(conv)));
    return Object.assign({}, ...all);
  }

  /** Each place of an image followed by its example's labels. */
  #withPlanes(seen: Float32Array, { rows, output, labels }: Evidence): Float32Array {
    const { image, labels: classes } = this.#options;
    const { channels } = image;
    const places = image.height * image.width;
    let [at, from] = [0, 0];
    for (let row = 0; row < rows; row++) {
      for (let place = 0; place < places; place++) {
        for (let channel = 0; channel < channels; channel++) seen[at++] = output[from++]!;
        for (let label = 0; label < classes; label++) seen[at++] = labels[row * classes + label]!;
      }
    }
    return seen;
  }
}

function convOf(
  kernels: Kernels,
  { image, hidden, batchNorm, maxRows, seed, layer, optimizer }: ConvGeneratorOptions,
  channels: readonly number[],
  index: number,
): ConvLayer {
  const { height, width } = image;
  const isLast = index === channels.length - 2;
  const kernel = hidden.length > 0 ? KERNEL : 1;
  const padding = (kernel - 1) / 2;
  return new ConvLayer(kernels, {
    shape: { height, width, channels: channels[index]!, kernel, stride: 1, padding },
    channels: channels[index + 1]!,
    nonlinearity: isLast ? "identity" : "relu",
    batchNorm: batchNorm && !isLast,
    maxRows,
    seed: isLast ? undefined : [seed, layer, DRAWS, index],
    optimizer,
  });
}
