import { DenseLayer } from "../math/dense-layer.ts";
import type { Kernels } from "../math/kernels.ts";
import type { Tensors } from "../math/parameter.ts";
import type { Transform } from "../math/transform.ts";
import { NormedDense } from "../math/transformer/normed-dense.ts";
import { HiddenLayers } from "./hidden-layers.ts";
import { LabelLoss } from "./labels.ts";
import type { LayerOptions } from "./layer-options.ts";

/** So far from the number of a layer is that of its auxiliary head, where weights are drawn. */
const DRAWS_APART = 1_000_000;

/**
 * Judges the output of a local layer by the network's loss: linear, or with hidden layers as learning.generator says. Of a
 * sequence it judges each position, normalised, and starts as the network's own head: see BentHeadGenerator.
 */
export class AuxiliaryHead {
  readonly #loss: LabelLoss;
  readonly #hidden: HiddenLayers | undefined;
  readonly #last: Transform;
  readonly #lossGradient: Float32Array;

  constructor(kernels: Kernels, options: LayerOptions) {
    const { outputs, labelWidth, labelPositions, maxRows, seed, layer, learning, loss, units } = options;
    this.#loss = new LabelLoss(kernels, options);
    const { hidden: widths = [], batchNorm = true } = learning.generator;
    const own = { maxRows, seed, layer: DRAWS_APART + layer, optimizer: learning.layer };
    this.#hidden =
      widths.length > 0
        ? new HiddenLayers(kernels, { ...own, inputs: [outputs], widths, batchNorm })
        : undefined;
    this.#last =
      labelPositions > 1
        ? judgeOfPositions(kernels, options)
        : new DenseLayer(kernels, {
            ...own,
            inputs: this.#hidden?.outputs ?? outputs,
            outputs: labelWidth,
            // The cross-entropies bring their own nonlinearity, and values may be any number.
            nonlinearity: loss === "mean-squared-error" && !units ? "sigmoid" : "identity",
            batchNorm: false,
          });
    this.#lossGradient = kernels.allocate(maxRows * labelWidth);
  }

  /** dL/d(output), rows × outputs, of the loss that this head has; leaves its own gradients for `descend`. */
  outputGradient(output: Float32Array, labels: Float32Array, rows: number): Float32Array {
    const seen = this.#hidden ? this.#hidden.forward([output], rows) : output;
    const judged = this.#last.forward(seen, rows);
    this.#loss.take(judged, labels, this.#lossGradient, rows);
    const gradient = this.#last.backward(this.#lossGradient, rows, true)!;
    return this.#hidden ? this.#hidden.backward(gradient, rows, true)! : gradient;
  }

  /** As the loss takes it. Undefined with hidden layers, whose normalisation is of whole batches; changes no state. */
  classify(output: Float32Array, rows: number): Float32Array | undefined {
    return this.#hidden ? undefined : this.#last.evaluate(output, rows);
  }

  descend(rate: number, rows: number, step: number): void {
    this.#hidden?.descend(rate, rows, step);
    this.#last.descend(rate, rows, step);
  }

  tensors(): Tensors {
    return { ...this.#last.tensors(), ...this.#hidden?.tensors() };
  }

  optimizerTensors(): Tensors {
    return { ...this.#last.optimizerTensors(), ...this.#hidden?.optimizerTensors() };
  }
}

function judgeOfPositions(kernels: Kernels, options: LayerOptions): Transform {
  const { outputs, labelWidth, labelPositions: positions, maxRows, seed, headLayer, learning } = options;
  return new NormedDense(kernels, {
    positions,
    inputs: outputs / positions,
    outputs: labelWidth / positions,
    maxRows,
    seed: [seed, headLayer],
    optimizer: learning.layer,
  });
}
