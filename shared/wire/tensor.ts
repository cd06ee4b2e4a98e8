import { endianness } from "node:os";
import type { Kernels } from "../math/kernels.ts";
import { FrameError } from "./frame-error.ts";
import { CloseCode, type Dtype, type LinkDtype, type Tensor } from "./frames.ts";

// Tensors are little-endian on the wire, and copied to and from typed arrays as they are.
if (endianness() !== "LE") throw new Error("Cannot exchange tensors: this machine is big-endian");

/** A value larger than this, or not finite, is poison (promise G5): it is neither applied nor passed on. */
export const LARGEST_VALUE = 1e6;

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { f32: 4, f16: 2, bf16: 2, i8: 1, u8: 1, u16: 2 };

/** Bytes a value takes while it waits for its cast: f32 is copied to where it belongs at once. */
const MOST_PACKED_BYTES = 2;

/**
 * Reads tensors of one kind, from any offset, into `floats`; made once for each array that tensors are read into.
 */
export class TensorReader {
  readonly #kernels: Kernels;
  readonly #floats: Float32Array;
  readonly #floatBytes: Uint8Array;
  readonly #packed: Uint8Array;
  readonly #packedWords: Uint16Array;
  readonly #scales: Float32Array;
  readonly #scaleBytes: Uint8Array;

  /** `floats` are the kernels' own, and have room for `rows` rows. */
  constructor(kernels: Kernels, floats: Float32Array, rows: number) {
    this.#kernels = kernels;
    this.#floats = floats;
    this.#floatBytes = bytesOf(floats);
    this.#packed = kernels.allocateBytes(floats.length * MOST_PACKED_BYTES);
    this.#packedWords = new Uint16Array(this.#packed.buffer, this.#packed.byteOffset, floats.length);
    this.#scales = kernels.allocate(rows);
    this.#scaleBytes = bytesOf(this.#scales);
  }

  /**
   * Copies the tensor once, and leaves what it stands for at the front of the floats. Throws a FrameError with
   * code nonFinite at a value that is not finite or beyond ±LARGEST_VALUE (the floats then hold rubbish), a
   * RangeError where there is too little room.
   */
  read(tensor: Tensor): void {
    this.readChecked(tensor);
    const [rows, columns] = tensor.shape;
    if (!this.#kernels.isWithin(this.#floats, rows * columns, LARGEST_VALUE))
      throw poisonIn(this.#floats, rows * columns);
  }

  /** The same for a tensor whose values a TensorCheck has seen. */
  readChecked(tensor: Tensor): void {
    const [rows, columns] = tensor.shape;
    if (rows * columns > this.#floats.length || rows > this.#scales.length)
      throw new RangeError(`Cannot read ${rows}×${columns} values: there is room for ${this.#room()}`);
    this.#cast(tensor, rows, columns);
  }

  #cast({ dtype, data, scale, scales }: Tensor, rows: number, columns: number): void {
    if (dtype === "f32") return this.#floatBytes.set(data);
    this.#packed.set(data);
    if (dtype === "u8")
      return this.#kernels.scaleBytes(this.#packed, scale ?? 1, this.#floats, rows * columns);
    if (dtype === "u16") return void this.#floats.set(this.#packedWords.subarray(0, rows * columns));
    if (scales) this.#takeScales(scales, rows);
    this.#kernels.widen(dtype, this.#packed, this.#scales, this.#floats, rows, columns);
  }

  /** An infinite scale, or NaN, shows in the values; a negative one would not. */
  #takeScales(scales: Uint8Array, rows: number): void {
    this.#scaleBytes.set(scales);
    for (let row = 0; row < rows; row++) {
      const scale = this.#scales[row]!;
      if (!(scale >= 0 && scale <= LARGEST_VALUE)) {
        const what = `the scale of row ${row} is ${scale}, expected 0 to ${LARGEST_VALUE}`;
        throw new FrameError(`Cannot take tensor: ${what}`, CloseCode.nonFinite);
      }
    }
  }

  #room(): string {
    return `${this.#scales.length} rows, ${this.#floats.length} values`;
  }
}

/** Whether every value of a tensor is finite and of sane size. Keeps nothing of it. */
export class TensorCheck {
  readonly #scratch: TensorReader;

  /** For tensors of at most `rows` × `columns`. */
  constructor(kernels: Kernels, rows: number, columns: number) {
    this.#scratch = new TensorReader(kernels, kernels.allocate(rows * columns), rows);
  }

  /** Throws a FrameError with code nonFinite at a value that is not finite or beyond ±LARGEST_VALUE. */
  check(tensor: Tensor): void {
    const { dtype, scale = 1 } = tensor;
    if (dtype === "u8" && scale < 0)
      throw new FrameError(
        `Cannot take tensor: its scale is ${scale}, expected 0 or more`,
        CloseCode.nonFinite,
      );
    // No byte can be beyond it.
    if (dtype === "u8" && Math.abs(scale) * 255 <= LARGEST_VALUE) return;
    this.#scratch.read(tensor);
  }
}

/** Writes tensors of one dtype and width; made once for each place that tensors are sent from. */
export class TensorWriter {
  readonly #kernels: Kernels;
  readonly #dtype: LinkDtype;
  readonly columns: number;
  readonly #packed: Uint8Array;
  readonly #scales: Float32Array;
  /** Of what was written last, since most tensors are over the same memory as the one before. */
  #last: { readonly values: Float32Array; readonly rows: number; readonly tensor: Tensor } | undefined;

  /** For tensors of at most `rows` × `columns`. */
  constructor(kernels: Kernels, dtype: LinkDtype, rows: number, columns: number) {
    this.#kernels = kernels;
    this.#dtype = dtype;
    this.columns = columns;
    this.#packed = kernels.allocateBytes(dtype === "f32" ? 0 : rows * columns * DTYPE_BYTES[dtype]);
    this.#scales = kernels.allocate(dtype === "i8" ? rows : 0);
  }

  /**
   * The tensor of these rows: f32 aliases the values, others this writer's memory. Encode it before either
   * changes. `values` are the kernels' own and within ±LARGEST_VALUE; f16 saturates at its largest, 65504.
   */
  write(values: Float32Array, rows: number): Tensor {
    if (this.#dtype !== "f32")
      this.#kernels.narrow(this.#dtype, values, this.#packed, this.#scales, rows, this.columns);
    const last = this.#last;
    if (last && last.values === values && last.rows === rows) return last.tensor;
    const tensor = this.#tensorOver(values, rows);
    this.#last = { values, rows, tensor };
    return tensor;
  }

  #tensorOver(values: Float32Array, rows: number): Tensor {
    const dtype = this.#dtype;
    if (dtype === "f32") return floatsToTensor(values, rows, this.columns);
    const shape = [rows, this.columns] as const;
    const data = this.#packed.subarray(0, rows * this.columns * DTYPE_BYTES[dtype]);
    if (dtype !== "i8") return { dtype, shape, data };
    return { dtype, shape, scales: bytesOf(this.#scales).subarray(0, rows * 4), data };
  }
}

/**
 * The f32 tensor over `values`, which it aliases: encode it before they change. `values` holds at least rows ×
 * columns.
 */
export function floatsToTensor(values: Float32Array, rows: number, columns: number): Tensor {
  if (values.length < rows * columns) {
    throw new RangeError(
      `Cannot make a tensor of ${rows}×${columns}: the array holds ${values.length} values`,
    );
  }
  return { dtype: "f32", shape: [rows, columns], data: bytesOf(values).subarray(0, rows * columns * 4) };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function poisonIn(values: Float32Array, length: number): FrameError {
  const isPoison = (value: number) => !(Math.abs(value) <= LARGEST_VALUE);
  const index = values.subarray(0, length).findIndex(isPoison);
  return new FrameError(
    `Cannot take tensor: value ${index} is ${values[index]}, beyond ±${LARGEST_VALUE}`,
    CloseCode.nonFinite,
  );
}
