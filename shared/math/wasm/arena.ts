/** Arrays start on a cache line of their own. */
const ALIGNMENT = 64;

/** The kernels load whole vectors, up to eight floats past the end of an array. */
const MARGIN = 64;

const MEGABYTE = 2 ** 20;

/** Hands out arrays of one buffer, one behind the other, and never takes one back. */
export class Arena {
  readonly buffer: ArrayBuffer;
  // To ask an array for its buffer and offset takes about 40 ns, as long as a small product; this takes 10.
  readonly #addresses = new WeakMap<Float32Array | Uint8Array, number>();
  // Not 0, so that no array has the address that an empty pointer would have.
  #next = ALIGNMENT;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
  }

  /** A zeroed array of `length` floats. Throws a RangeError when it does not fit what is left. */
  allocate(length: number): Float32Array {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot allocate an array of ${length} floats`);
    }
    const start = this.#next;
    const end = start + length * Float32Array.BYTES_PER_ELEMENT;
    if (end + MARGIN > this.buffer.byteLength) throw this.#isFull(length);
    this.#next = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    const array = new Float32Array(this.buffer, start, length);
    this.#addresses.set(array, start);
    return array;
  }

  /** A zeroed array of `length` bytes, as `allocate`. */
  allocateBytes(length: number): Uint8Array {
    const start = this.allocate(Math.ceil(length / Float32Array.BYTES_PER_ELEMENT)).byteOffset;
    const bytes = new Uint8Array(this.buffer, start, length);
    this.#addresses.set(bytes, start);
    return bytes;
  }

  /**
   * The byte address of an array that must hold at least `length` floats, or bytes. Throws a RangeError where the kernels
   * would compute with another memory, or with an array's neighbours.
   */
  address(array: Float32Array | Uint8Array, length: number): number {
    // Not `array.length < length`, which is false for NaN.
    if (!(length >= 0 && array.length >= length)) {
      const what = array instanceof Uint8Array ? "bytes" : "floats";
      throw new RangeError(`Cannot compute: an array holds ${array.length} ${what}, ${length} are asked for`);
    }
    return this.#addresses.get(array) ?? this.#addressOfPart(array);
  }

  /** Of a `subarray`, if it is one of ours. */
  #addressOfPart(array: Float32Array | Uint8Array): number {
    if (array.buffer !== this.buffer) {
      throw new RangeError("Cannot compute: an array was not allocated by these kernels");
    }
    return array.byteOffset;
  }

  #isFull(length: number): RangeError {
    const left = Math.max(0, this.buffer.byteLength - MARGIN - this.#next) / Float32Array.BYTES_PER_ELEMENT;
    const megabytes = this.buffer.byteLength / MEGABYTE;
    return new RangeError(
      `Cannot allocate ${length} floats: the arena of ${megabytes} MB has room for ${Math.floor(left)}`,
    );
  }
}
