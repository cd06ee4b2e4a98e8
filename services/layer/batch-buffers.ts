import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { TensorReader } from "../../shared/wire/tensor.ts";

type Part = "input" | "labels" | "target";

/** Where what a layer hears of a batch lies, as floats, and what reads it there. */
export interface BatchBuffers extends Readonly<Record<Part, Float32Array>> {
  /** The network's own, where the layer looks at it and it is not its own. */
  readonly networkInput: Float32Array | undefined;
  readonly readers: Readonly<Record<Part, TensorReader>> & {
    readonly networkInput: TensorReader | undefined;
  };
}

export function batchBuffers(
  kernels: Kernels,
  { layers, run: { batchSize } }: NetworkOptions,
  number: number,
  needsInput: boolean,
): BatchBuffers {
  const { inputs, outputs } = layers[number - 1]!;
  const roomFor = (width: number) => kernels.allocate(batchSize * width);
  const readerOf = (floats: Float32Array) => new TensorReader(kernels, floats, batchSize);
  const input = roomFor(inputs);
  const labels = roomFor(layers.at(-1)!.outputs);
  const networkInput = needsInput ? roomFor(layers[0]!.inputs) : undefined;
  const target = roomFor(outputs);
  const readers = {
    input: readerOf(input),
    labels: readerOf(labels),
    networkInput: networkInput && readerOf(networkInput),
    target: readerOf(target),
  };
  return { input, labels, networkInput, target, readers };
}
