/** The first `length` floats; a view only where it is needed, since most batches are full. */
export function exactly(buffer: Float32Array, length: number): Float32Array {
  return buffer.length === length ? buffer : buffer.subarray(0, length);
}
