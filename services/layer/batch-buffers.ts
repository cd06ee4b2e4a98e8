import { labelsOf, type NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { Example } from "../../shared/dni/example.ts";
import { labelFloats } from "../../shared/dni/labels.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { type BatchFrame, rowsOf } from "../../shared/wire/frames.ts";
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
  network: NetworkOptions,
  number: number,
  needsInput: boolean,
): BatchBuffers {
  const { layers, run } = network;
  const { batchSize } = run;
  const { inputs, outputs } = layers[number - 1]!;
  const roomFor = (width: number) => kernels.allocate(batchSize * width);
  const readerOf = (floats: Float32Array) => new TensorReader(kernels, floats, batchSize);
  const input = roomFor(inputs);
  const labels = roomFor(labelFloats(labelsOf(network)));
  const networkInput = needsInput ? roomFor(layers[0]!.inputs) : undefined;
  const target = roomFor(number < layers.length ? outputs : 0);
  const readers = {
    input: readerOf(input),
    labels: readerOf(labels),
    networkInput: networkInput && readerOf(networkInput),
    target: readerOf(target),
  };
  return { input, labels, networkInput, target, readers };
}

/** Whose input is that of the frame; after a preview, which has none, that of another batch. */
export function readBatch(buffers: BatchBuffers, frame: BatchFrame): Example {
  const { readers } = buffers;
  if (frame.kind === "activation") readers.input.readChecked(frame.activation);
  readers.labels.readChecked(frame.labels);
  if (frame.input) readers.networkInput?.readChecked(frame.input);
  const { input, labels, networkInput } = buffers;
  const rows = rowsOf(frame);
  return networkInput ? { rows, input, labels, networkInput } : { rows, input, labels };
}
