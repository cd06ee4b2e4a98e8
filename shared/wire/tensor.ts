import { endianness } from "node:os";
import { FrameError } from "./frame-error.ts";
import { CloseCode, type Dtype, type Tensor } from "./frames.ts";

// Tensors are little-endian on the wire, and copied to and from typed arrays as they are.
if (endianness() !== "LE") throw new Error("Cannot exchange tensors: this machine is big-endian");

/** A value larger than this, or not finite, is poison (promise G5): it is neither applied nor passed on. */
export const LARGEST_VALUE = 1e6;

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { f32: 4, u8: 1 };

/** The bits of a float32 without its sign grow with its size; those of Infinity and NaN are above all others. */
const LARGEST_VALUE_BITS = new Uint32Array(new Float32Array([LARGEST_VALUE]).buffer)[0]!;

/**
 * Copies the values of a tensor to the front of `out`, once, from any offset: f32 as it is, u8 as
 * byte × scale (1 if it has none), rounded to float32 once. Throws a FrameError with code nonFinite at a value that is not
 * finite or beyond ±LARGEST_VALUE (`out` then holds rubbish), a RangeError where `out` is too short.
 */
export function tensorToFloats(tensor: Tensor, out: Float32Array): void {
  const length = tensor.shape[0] * tensor.shape[1];
  if (out.length < length)
    throw new RangeError(`Cannot copy ${length} values: the array holds ${out.length}`);
  if (tensor.dtype === "u8") scaleBytes(tensor.data, tensor.scale ?? 1, out, length);
  else new Uint8Array(out.buffer, out.byteOffset, length * 4).set(tensor.data);
  refusePoison(out, length);
}

/** The tensor over `values`, which it aliases: encode it before they change. `values` holds at least rows × columns. */
export function floatsToTensor(values: Float32Array, rows: number, columns: number): Tensor {
  const bytes = rows * columns * 4;
  if (values.byteLength < bytes) {
    throw new RangeError(
      `Cannot make a tensor of ${rows}×${columns}: the array holds ${values.length} values`,
    );
  }
  return {
    dtype: "f32",
    shape: [rows, columns],
    data: new Uint8Array(values.buffer, values.byteOffset, bytes),
  };
}

// As `bytesToFloats` of the mathematics does it, to the bit: a source and a layer must see the same numbers.
function scaleBytes(bytes: Uint8Array, scale: number, out: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) out[i] = bytes[i]! * scale;
}

function refusePoison(values: Float32Array, length: number): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, length);
  for (let i = 0; i < length; i++) {
    if ((bits[i]! & 0x7fffffff) > LARGEST_VALUE_BITS) {
      throw new FrameError(
        `Cannot take tensor: value ${i} is ${values[i]}, beyond ±${LARGEST_VALUE}`,
        CloseCode.nonFinite,
      );
    }
  }
}
