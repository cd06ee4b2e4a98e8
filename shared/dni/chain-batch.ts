import { bytesToFloats } from "../math/convert.ts";
import type { Kernels } from "../math/kernels.ts";
import { labelsOf, type NetworkOptions } from "./build-layer.ts";
import type { Example } from "./example.ts";
import { classesOf, labelFloats } from "./labels.ts";

/** A batch as a data set gives it. */
export interface ChainBatch {
  readonly rows: number;
  readonly input: Uint8Array | Float32Array;
  /** rows × labelFloats, see example.ts. */
  readonly labels: Uint8Array | Uint16Array | Float32Array;
}

/** Batches as layer 1 takes them, always in the same arrays. */
export class ChainExamples {
  readonly #inputScale: number;
  readonly #input: Float32Array;
  readonly #labels: Float32Array;
  readonly #classes: number | undefined;

  /** `inputScale`: what a byte of input is worth. Floats are taken as they are. */
  constructor(kernels: Kernels, network: NetworkOptions, inputScale: number) {
    const { layers, run } = network;
    this.#inputScale = inputScale;
    this.#classes = classesOf(labelsOf(network));
    this.#input = kernels.allocate(run.batchSize * layers[0]!.inputs);
    this.#labels = kernels.allocate(run.batchSize * labelFloats(labelsOf(network)));
  }

  /** Valid until the next call. */
  of({ rows, input, labels }: ChainBatch): Example {
    if (input instanceof Uint8Array) bytesToFloats(input, this.#inputScale, this.#input);
    else this.#input.set(input);
    this.#requireClasses(labels);
    this.#labels.set(labels);
    return { rows, input: this.#input, labels: this.#labels, networkInput: this.#input };
  }

  #requireClasses(labels: ChainBatch["labels"]): void {
    const classes = this.#classes ?? Number.POSITIVE_INFINITY;
    for (const label of labels)
      if (label >= classes)
        throw new RangeError(`Cannot take labels: ${label} is none of ${classes} classes`);
  }
}
