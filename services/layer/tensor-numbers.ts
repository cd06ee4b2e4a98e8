import type { LinkDtype, Tensor } from "../../shared/wire/frames.ts";
import { DTYPE_BYTES, floatsToTensor } from "../../shared/wire/tensor.ts";

/** A float holds whole numbers of 24 bits exactly. */
const BYTES_A_NUMBER = 3;

/** What a tensor of a link holds, as a checkpoint can: f32 as its values, which are not copied, others as whole numbers. */
export function numbersOf({ dtype, data, scales = NO_BYTES }: Tensor): Float32Array {
  if (dtype === "f32") return new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  const size = Math.ceil((scales.length + data.length) / BYTES_A_NUMBER);
  const bytes = new Uint8Array(size * BYTES_A_NUMBER);
  bytes.set(scales);
  bytes.set(data, scales.length);
  const numbers = new Float32Array(size);
  for (let at = 0, from = 0; at < size; at++, from += BYTES_A_NUMBER)
    numbers[at] = bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16);
  return numbers;
}

/** The tensor of this shape that these are the numbers of. */
export function tensorOfNumbers(
  numbers: Float32Array,
  dtype: LinkDtype,
  shape: readonly [rows: number, columns: number],
): Tensor {
  const [rows, columns] = shape;
  if (dtype === "f32") return floatsToTensor(numbers, rows, columns);
  const bytes = new Uint8Array(numbers.length * BYTES_A_NUMBER);
  for (const [at, number] of numbers.entries())
    bytes.set([number & 255, (number >> 8) & 255, number >> 16], at * BYTES_A_NUMBER);
  const from = dtype === "i8" ? rows * 4 : 0;
  const data = bytes.subarray(from, from + rows * columns * DTYPE_BYTES[dtype]);
  return { dtype, shape, ...(dtype === "i8" && { scales: bytes.subarray(0, from) }), data };
}

const NO_BYTES = new Uint8Array(0);
