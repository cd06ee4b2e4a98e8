import type { Batch, DataSet } from "../../shared/data/data-set.ts";
import type { ActivationFrame, Tensor } from "../../shared/wire/frames.ts";

/** A batch of the data set as the frame that layer 1 hears. The tensors alias the batch. */
export function frameOf(
  data: DataSet,
  { rows, input, labels }: Batch,
  batch: number,
  evaluation?: { readonly part: number; readonly parts: number },
): ActivationFrame {
  return {
    kind: "activation",
    batch,
    ...(evaluation ? { evaluation } : {}),
    activation: inputTensor(data, rows, input),
    labels: { dtype: "u8", shape: [rows, labels.length / rows], data: labels },
  };
}

/** Of rows that lie one after another; it aliases them. */
export function inputTensor(data: DataSet, rows: number, input: Uint8Array | Float32Array): Tensor {
  const shape = [rows, input.length / rows] as const;
  if (input instanceof Uint8Array) return { dtype: "u8", shape, scale: data.inputScale, data: input };
  return { dtype: "f32", shape, data: new Uint8Array(input.buffer, input.byteOffset, input.byteLength) };
}
