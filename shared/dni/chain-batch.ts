import { bytesToFloats } from "../math/convert.ts";
import type { Kernels } from "../math/kernels.ts";
import type { NetworkOptions } from "./build-layer.ts";
import type { Example } from "./example.ts";

/** A batch as a data set gives it. */
export interface ChainBatch {
  readonly rows: number;
  readonly input: Uint8Array | Float32Array;
  readonly labels: Uint8Array | Float32Array;
}

/** Batches as layer 1 takes them, always in the same arrays. */
export class ChainExamples {
  readonly #inputScale: number;
  readonly #input: Float32Array;
  readonly #labels: Float32Array;

  /** `inputScale`: what a byte of input is worth. Floats are taken as they are. */
  constructor(kernels: Kernels, { layers, run }: NetworkOptions, inputScale: number) {
    this.#inputScale = inputScale;
    this.#input = kernels.allocate(run.batchSize * layers[0]!.inputs);
    this.#labels = kernels.allocate(run.batchSize * layers.at(-1)!.outputs);
  }

  /** Valid until the next call. */
  of({ rows, input, labels }: ChainBatch): Example {
    if (input instanceof Uint8Array) bytesToFloats(input, this.#inputScale, this.#input);
    else this.#input.set(input);
    this.#labels.set(labels);
    return { rows, input: this.#input, labels: this.#labels, networkInput: this.#input };
  }
}
