import type { Casts, NarrowType } from "../kernels.ts";

/** The casts as plain loops over single numbers: what the others are tested against. */
export const plainCasts: Casts = {
  allocateBytes: (length) => new Uint8Array(length),
  narrow(type, values, bytes, scales, rows, columns) {
    if (type === "i8") return narrowRows(values, bytes, scales, rows, columns);
    const sixteen = sixteens[type];
    for (let i = 0; i < rows * columns; i++) putSixteen(bytes, i, narrowOne(values, i, sixteen));
  },
  widen(type, bytes, scales, values, rows, columns) {
    if (type === "i8") return widenRows(bytes, scales, values, rows, columns);
    const sixteen = sixteens[type];
    for (let i = 0; i < rows * columns; i++) widenOne(takeSixteen(bytes, i), values, i, sixteen);
  },
  scaleBytes(bytes, scale, values, length) {
    for (let i = 0; i < length; i++) values[i] = bytes[i]! * scale;
  },
};

/** A type of 16 bits: sign, exponent, mantissa. */
interface Sixteen {
  readonly mantissaBits: number;
  /** Exponent of the smallest value with a full mantissa. */
  readonly leastExponent: number;
  readonly largest: number;
  /** The bits of infinity: all of the exponent. */
  readonly infinity: number;
}

const sixteens: Readonly<Record<Exclude<NarrowType, "i8">, Sixteen>> = {
  f16: { mantissaBits: 10, leastExponent: -14, largest: 65504, infinity: 0x7c00 },
  bf16: { mantissaBits: 7, leastExponent: -126, largest: 2 ** 128 - 2 ** 120, infinity: 0x7f80 },
};

function narrowOne(values: Float32Array, index: number, type: Sixteen): number {
  const value = values[index]!;
  const sign = isNegative(values, index) ? 0x8000 : 0;
  if (Number.isNaN(value)) return sign | type.infinity | (1 << (type.mantissaBits - 1));
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign | type.infinity;
  return sign | bitsOf(Math.min(size, type.largest), type);
}

/** Of a size from 0 to the largest: the number of steps, which go on over powers of two, where they become wider. */
function bitsOf(size: number, { mantissaBits, leastExponent }: Sixteen): number {
  const exponent = Math.max(exponentOf(size), leastExponent);
  const steps = roundToEven(size / 2 ** (exponent - mantissaBits));
  return (exponent - leastExponent) * 2 ** mantissaBits + steps;
}

function widenOne(bits: number, values: Float32Array, index: number, type: Sixteen): void {
  const { mantissaBits, leastExponent, infinity } = type;
  const size = bits & 0x7fff;
  if (size >= infinity) return putSpecial(values, index, bits, type);
  const field = size >> mantissaBits;
  const mantissa = size & (2 ** mantissaBits - 1);
  const steps = field === 0 ? mantissa : mantissa + 2 ** mantissaBits;
  const value = steps * 2 ** (leastExponent + Math.max(field, 1) - 1 - mantissaBits);
  values[index] = bits & 0x8000 ? -value : value;
}

/** Infinity, or a NaN with the same bits in its mantissa. */
function putSpecial(values: Float32Array, index: number, bits: number, { mantissaBits }: Sixteen): void {
  const mantissa = (bits & (2 ** mantissaBits - 1)) << (23 - mantissaBits);
  const sign = bits & 0x8000 ? 0x80000000 : 0;
  new DataView(values.buffer, values.byteOffset).setUint32(4 * index, sign | 0x7f800000 | mantissa, true);
}

function narrowRows(
  values: Float32Array,
  bytes: Uint8Array,
  scales: Float32Array,
  rows: number,
  columns: number,
): void {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const scale = scaleOf(values, from, columns);
    const inverse = isUsable(scale) ? Math.fround(1 / scale) : 0;
    scales[row] = scale;
    for (let i = from; i < from + columns; i++) {
      bytes[i] = inverse === 0 ? 0 : roundToEven(Math.fround(values[i]! * inverse));
    }
  }
}

function scaleOf(values: Float32Array, from: number, columns: number): number {
  let largest = 0;
  for (let i = from; i < from + columns; i++) {
    if (!Number.isFinite(values[i])) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(values[i]!));
  }
  const scale = Math.fround(largest / 127);
  return isUsable(scale) ? scale : 0;
}

/** Finite, and large enough for one over it to be. */
function isUsable(scale: number): boolean {
  return scale >= 2 ** -126 && scale < Number.POSITIVE_INFINITY;
}

function widenRows(
  bytes: Uint8Array,
  scales: Float32Array,
  values: Float32Array,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < rows * columns; i++) {
    const int = (bytes[i]! << 24) >> 24;
    values[i] = int * scales[Math.floor(i / columns)]!;
  }
}

function putSixteen(bytes: Uint8Array, index: number, bits: number): void {
  bytes[2 * index] = bits & 0xff;
  bytes[2 * index + 1] = bits >> 8;
}

function takeSixteen(bytes: Uint8Array, index: number): number {
  return bytes[2 * index]! | (bytes[2 * index + 1]! << 8);
}

/** NaN has a sign too, which only its bits show. */
function isNegative(values: Float32Array, index: number): boolean {
  return new DataView(values.buffer, values.byteOffset).getInt32(4 * index, true) < 0;
}

/** The largest e with 2^e ≤ size; −Infinity for 0. */
function exponentOf(size: number): number {
  const guess = Math.floor(Math.log2(size));
  if (2 ** guess > size) return guess - 1;
  return 2 ** (guess + 1) <= size ? guess + 1 : guess;
}

/** The nearest whole number; of two, the even one. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  if (over !== 0.5) return over < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
