/**
 * out[i] = bytes[i] · scale, rounded to a float once. Whoever turns bytes into numbers calls this one function, so
 * that a layer service and the reference chain see the same bits. Throws a RangeError if `out` is too short.
 */
export function bytesToFloats(bytes: Uint8Array, scale: number, out: Float32Array): void {
  if (bytes.length > out.length) {
    throw new RangeError(`Cannot convert bytes: ${bytes.length} bytes, room for ${out.length} floats`);
  }
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i]! * scale;
}
