import { DenseLayer } from "../math/dense-layer.ts";
import type { Kernels } from "../math/kernels.ts";
import type { OptimizerOptions } from "../math/optimizer.ts";
import type { Tensors } from "../math/parameter.ts";

interface HiddenOptions {
  /** Floats per example of each array that `forward` is given. */
  readonly inputs: readonly number[];
  /** Of the layers, first to last; at least one. */
  readonly widths: readonly number[];
  readonly batchNorm: boolean;
  readonly maxRows: number;
  readonly seed: number;
  /** Of the network's layer that these belong to. */
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

/** So many layer numbers apart are the draws of a network's own layers and of those hidden within them. */
const DRAWS_APART = 100_000;

/** Rectified layers between what a generator, or the head of a local layer, looks at and what it says. They see whole batches and nothing else, so their normalisation keeps no running statistics. */
export class HiddenLayers {
  readonly outputs: number;
  readonly #inputs: readonly number[];
  readonly #layers: readonly DenseLayer[];
  readonly #input: Float32Array;

  constructor(kernels: Kernels, options: HiddenOptions) {
    const { inputs, widths, maxRows, layer } = options;
    const width = inputs.reduce((sum, each) => sum + each, 0);
    this.#inputs = inputs;
    this.outputs = widths.at(-1)!;
    this.#input = kernels.allocate(maxRows * width);
    this.#layers = widths.map(
      (outputs, index) =>
        new DenseLayer(kernels, {
          ...options,
          inputs: index === 0 ? width : widths[index - 1]!,
          outputs,
          nonlinearity: "relu",
          layer: (index + 1) * DRAWS_APART + layer,
        }),
    );
  }

  /** `arrays`: each rows × its width → rows × outputs. */
  forward(arrays: readonly Float32Array[], rows: number): Float32Array {
    const input = this.#sideBySide(arrays, rows);
    return this.#layers.reduce((activation, layer) => layer.forward(activation, rows), input);
  }

  /**
   * From dL/d(output) of the last forward; leaves the gradients for `descend`. Where wanted, dL/d(arrays side by side),
   * rows × the sum of their widths.
   */
  backward(outputGradient: Float32Array, rows: number, wantInputGradient = false): Float32Array | undefined {
    let gradient: Float32Array | undefined = outputGradient;
    for (let index = this.#layers.length - 1; index >= 0; index--)
      gradient = this.#layers[index]!.backward(gradient!, rows, index > 0 || wantInputGradient);
    return gradient;
  }

  descend(rate: number, rows: number, step: number): void {
    for (const layer of this.#layers) layer.descend(rate, rows, step);
  }

  tensors(): Tensors {
    return this.#named((layer) => layer.tensors());
  }

  optimizerTensors(): Tensors {
    return this.#named((layer) => layer.optimizerTensors());
  }

  #named(tensorsOf: (layer: DenseLayer) => Tensors): Tensors {
    const all = this.#layers.flatMap((layer, index) =>
      Object.entries(tensorsOf(layer)).map(
        ([name, tensor]) => [`hidden${index + 1}.${name}`, tensor] as const,
      ),
    );
    return Object.fromEntries(all);
  }

  #sideBySide(arrays: readonly Float32Array[], rows: number): Float32Array {
    const width = this.#inputs.reduce((sum, each) => sum + each, 0);
    let column = 0;
    for (const [index, array] of arrays.entries()) {
      const own = this.#inputs[index]!;
      for (let row = 0; row < rows; row++)
        this.#input.set(array.subarray(row * own, (row + 1) * own), row * width + column);
      column += own;
    }
    return this.#input;
  }
}
