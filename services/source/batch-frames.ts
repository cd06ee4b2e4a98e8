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
    activation: tensorOf(rows, input, data.inputScale),
    labels: tensorOf(rows, labels),
  };
}

/** Of rows that lie one after another; it aliases them. `scale`: what a byte is worth, 1 unless given. */
export function tensorOf(rows: number, values: Batch["labels"], scale?: number): Tensor {
  const shape = [rows, values.length / rows] as const;
  if (values instanceof Uint8Array)
    return { dtype: "u8", shape, ...(scale !== undefined && { scale }), data: values };
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: values instanceof Uint16Array ? "u16" : "f32", shape, data };
}
