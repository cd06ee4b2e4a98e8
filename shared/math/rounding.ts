import type { Kernels, NarrowType } from "./kernels.ts";

/** What is left of floats that travelled as a narrower type. */
export class Rounding {
  readonly #kernels: Kernels;
  readonly #type: NarrowType;
  readonly #columns: number;
  readonly #bytes: Uint8Array;
  readonly #scales: Float32Array;
  readonly #rounded: Float32Array;

  /** For at most `rows` × `columns`. */
  constructor(kernels: Kernels, type: NarrowType, rows: number, columns: number) {
    this.#kernels = kernels;
    this.#type = type;
    this.#columns = columns;
    this.#bytes = kernels.allocateBytes(2 * rows * columns);
    this.#scales = kernels.allocate(rows);
    this.#rounded = kernels.allocate(rows * columns);
  }

  /** values: rows × columns → the same rounded, in an array of its own that holds until the next call. */
  round(values: Float32Array, rows: number): Float32Array {
    this.#kernels.narrow(this.#type, values, this.#bytes, this.#scales, rows, this.#columns);
    this.#kernels.widen(this.#type, this.#bytes, this.#scales, this.#rounded, rows, this.#columns);
    return this.#rounded;
  }
}
