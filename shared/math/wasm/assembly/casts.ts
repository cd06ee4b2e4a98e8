// Casts between floats and the narrower types in which they travel. See `Casts` in kernels.ts for what each must give.
import { FLOAT, VECTOR, keepFirst, put, putBytes } from "./lanes";

const SIGN: i32 = 0x80000000;
const SIZE: i32 = 0x7fffffff;
const INFINITY: i32 = 0x7f800000;

/** Bits of 65504, the largest half. */
const LARGEST_HALF: i32 = 0x477fe000;
/** Bits of 2^-14, the smallest half with a full mantissa. */
const SMALLEST_HALF: i32 = 113 << 23;
/** From the exponent of a half to that of a float. */
const REBIAS: i32 = 112 << 23;
/** Bits of ½, whose last bit is worth 2^-24, as is that of a half below the smallest one. */
const ONE_HALF: i32 = 126 << 23;
/** All exponent bits of a half, where they lie in a float. */
const HALF_EXPONENT: i32 = 0x1f << 23;

/** Bits of the largest bfloat. */
const LARGEST_BFLOAT: i32 = 0x7f7f0000;

/** 1.5 · 2^23: added to a small float, it leaves the float's nearest whole number in the last bits, ties to even. */
const ROUNDER: f32 = 12582912;
const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;

export function floatsToHalves(values: usize, halves: usize, length: i32): void {
  for (; length > 0; length -= 8) {
    const low = toHalves(v128.load(values));
    const high = toHalves(v128.load(values, VECTOR));
    putBytes(halves, i16x8.narrow_i32x4_u(low, high), length << 1);
    values += 2 * VECTOR;
    halves += VECTOR;
  }
}

export function halvesToFloats(halves: usize, values: usize, length: i32): void {
  for (; length > 0; length -= 8) {
    const eight = v128.load(halves);
    put(values, fromHalves(i32x4.extend_low_i16x8_u(eight)), length);
    if (length > 4) put(values + VECTOR, fromHalves(i32x4.extend_high_i16x8_u(eight)), length - 4);
    values += 2 * VECTOR;
    halves += VECTOR;
  }
}

export function floatsToBfloats(values: usize, bfloats: usize, length: i32): void {
  for (; length > 0; length -= 8) {
    const low = toBfloats(v128.load(values));
    const high = toBfloats(v128.load(values, VECTOR));
    putBytes(bfloats, i16x8.narrow_i32x4_u(low, high), length << 1);
    values += 2 * VECTOR;
    bfloats += VECTOR;
  }
}

/** A bfloat is the upper half of a float. */
export function bfloatsToFloats(bfloats: usize, values: usize, length: i32): void {
  for (; length > 0; length -= 8) {
    const eight = v128.load(bfloats);
    put(values, i32x4.shl(i32x4.extend_low_i16x8_u(eight), 16), length);
    if (length > 4) put(values + VECTOR, i32x4.shl(i32x4.extend_high_i16x8_u(eight), 16), length - 4);
    values += 2 * VECTOR;
    bfloats += VECTOR;
  }
}

export function floatsToInts(values: usize, ints: usize, scales: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    const largest = largestBits(values, columns);
    const scale = reinterpret<f32>(largest) / 127;
    if (largest >= INFINITY || scale < SMALLEST_NORMAL) {
      f32.store(scales, largest >= INFINITY ? Infinity : 0);
      memory.fill(ints, 0, columns);
    } else {
      f32.store(scales, scale);
      roundRow(values, ints, columns, 1 / scale);
    }
    values += <usize>columns << FLOAT;
    ints += columns;
    scales += 4;
  }
}

export function intsToFloats(ints: usize, scales: usize, values: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    const scale = v128.load32_splat(scales);
    for (let left = columns; left > 0; left -= 8) {
      const eight = i16x8.extend_low_i8x16_s(v128.load64_zero(ints));
      put(values, scaled(i32x4.extend_low_i16x8_s(eight), scale), left);
      if (left > 4) put(values + VECTOR, scaled(i32x4.extend_high_i16x8_s(eight), scale), left - 4);
      const count: usize = min(left, 8);
      values += count << FLOAT;
      ints += count;
    }
    scales += 4;
  }
}

/** values = bytes · scale, in double precision and rounded once. */
export function bytesToFloats(bytes: usize, scale: f64, values: usize, length: i32): void {
  const scales = f64x2.splat(scale);
  for (; length > 0; length -= 8) {
    const eight = i16x8.extend_low_i8x16_u(v128.load64_zero(bytes));
    put(values, scaledInDouble(i32x4.extend_low_i16x8_u(eight), scales), length);
    if (length > 4)
      put(values + VECTOR, scaledInDouble(i32x4.extend_high_i16x8_u(eight), scales), length - 4);
    values += 2 * VECTOR;
    bytes += 8;
  }
}

/** Four floats → the bits of four halves, each in 32. */
@inline
function toHalves(floats: v128): v128 {
  const size = v128.and(floats, i32x4.splat(SIZE));
  const isLarge = i32x4.gt_s(size, i32x4.splat(LARGEST_HALF));
  const halves = v128.or(nearestHalves(size), signs(floats));
  return v128.any_true(isLarge) ? v128.bitselect(largeHalves(floats, size), halves, isLarge) : halves;
}

@inline
function nearestHalves(size: v128): v128 {
  // Half of the last bit that stays is added, less one unless that bit is odd: what is carried is the rounding.
  const odd = v128.and(i32x4.shr_u(size, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(size, i32x4.splat(0xfff - REBIAS)), odd), 13);
  const half = i32x4.splat(ONE_HALF);
  const small = i32x4.sub(f32x4.add(size, half), half);
  return v128.bitselect(small, normal, i32x4.lt_s(size, i32x4.splat(SMALLEST_HALF)));
}

/** Beyond the largest half: that, an infinity, or NaN. */
function largeHalves(floats: v128, size: v128): v128 {
  const isInfinite = i32x4.ge_s(size, i32x4.splat(INFINITY));
  const isNaN = i32x4.gt_s(size, i32x4.splat(INFINITY));
  const finite = v128.andnot(i32x4.splat(0x7bff), isInfinite);
  const infinite = v128.and(i32x4.splat(0x7c00), isInfinite);
  return v128.or(v128.or(finite, infinite), v128.or(v128.and(isNaN, i32x4.splat(0x200)), signs(floats)));
}

/** The bits of four halves, each in 32 → four floats. */
@inline
function fromHalves(halves: v128): v128 {
  const size = i32x4.shl(v128.and(halves, i32x4.splat(0x7fff)), 13);
  const exponent = v128.and(size, i32x4.splat(HALF_EXPONENT));
  const rebias = i32x4.splat(REBIAS);
  const isSpecial = i32x4.eq(exponent, i32x4.splat(HALF_EXPONENT));
  const normal = i32x4.add(i32x4.add(size, rebias), v128.and(isSpecial, rebias));
  // Below the smallest normal half: its mantissa with a one before it, less that one. No step meets a tiny float,
  // with which processors are slow.
  const one = i32x4.splat(SMALLEST_HALF);
  const small = f32x4.sub(i32x4.add(size, one), one);
  const isSmall = i32x4.eq(exponent, i32x4.splat(0));
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16);
  return v128.or(v128.bitselect(small, normal, isSmall), sign);
}

/** Four floats → the bits of four bfloats, each in 32. */
@inline
function toBfloats(floats: v128): v128 {
  const size = v128.and(floats, i32x4.splat(SIZE));
  const isLarge = i32x4.gt_s(size, i32x4.splat(LARGEST_BFLOAT));
  const odd = v128.and(i32x4.shr_u(floats, 16), i32x4.splat(1));
  const bfloats = i32x4.shr_u(i32x4.add(i32x4.add(floats, i32x4.splat(0x7fff)), odd), 16);
  return v128.any_true(isLarge) ? v128.bitselect(largeBfloats(floats, size), bfloats, isLarge) : bfloats;
}

/** As largeHalves. */
function largeBfloats(floats: v128, size: v128): v128 {
  const isInfinite = i32x4.ge_s(size, i32x4.splat(INFINITY));
  const isNaN = i32x4.gt_s(size, i32x4.splat(INFINITY));
  const finite = v128.andnot(i32x4.splat(0x7f7f), isInfinite);
  const infinite = v128.and(i32x4.splat(0x7f80), isInfinite);
  return v128.or(v128.or(finite, infinite), v128.or(v128.and(isNaN, i32x4.splat(0x40)), signs(floats)));
}

/** The signs of four floats as those of 16-bit numbers, each in 32. */
@inline
function signs(floats: v128): v128 {
  return i32x4.shr_u(v128.and(floats, i32x4.splat(SIGN)), 16);
}

/** The largest size of a row, as bits: they grow with it, and those of infinity and NaN are above all others. */
@inline
function largestBits(values: usize, length: i32): i32 {
  let largest = i32x4.splat(0);
  const size = i32x4.splat(SIZE);
  for (; length > 0; length -= 4) {
    largest = i32x4.max_s(largest, keepFirst(v128.and(v128.load(values), size), length));
    values += VECTOR;
  }
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  return max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1));
}

@inline
function roundRow(values: usize, ints: usize, length: i32, inverse: f32): void {
  const inverses = f32x4.splat(inverse);
  for (; length > 0; length -= 16) {
    const low = i16x8.narrow_i32x4_s(rounded(values, inverses), rounded(values + VECTOR, inverses));
    const high = i16x8.narrow_i32x4_s(
      rounded(values + 2 * VECTOR, inverses),
      rounded(values + 3 * VECTOR, inverses),
    );
    putBytes(ints, i8x16.narrow_i16x8_s(low, high), length);
    values += 4 * VECTOR;
    ints += VECTOR;
  }
}

@inline
function rounded(values: usize, inverses: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  return i32x4.sub(f32x4.add(f32x4.mul(v128.load(values), inverses), rounder), rounder);
}

@inline
function scaled(ints: v128, scales: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(ints), scales);
}

@inline
function scaledInDouble(ints: v128, scales: v128): v128 {
  const high = v128.shuffle<i64>(ints, ints, 1, 0);
  const first = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_u(ints), scales));
  const second = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_u(high), scales));
  return v128.shuffle<i64>(first, second, 0, 2);
}
