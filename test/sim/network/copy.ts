import type { Frame, Tensor } from "../../../shared/wire/frames.ts";

/** As it was when it was sent: tensors alias buffers that are written again. */
export function copyOf<F extends Frame>(frame: F): F {
  const copied = Object.entries(frame).map(([key, value]) => [
    key,
    isTensor(value) ? copyTensor(value) : value,
  ]);
  return Object.fromEntries(copied) as F;
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "data" in value;
}

function copyTensor(tensor: Tensor): Tensor {
  const { data, scales } = tensor;
  return { ...tensor, data: data.slice(), ...(scales && { scales: scales.slice() }) };
}
