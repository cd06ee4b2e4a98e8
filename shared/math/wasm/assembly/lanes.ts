// Four floats at a time, and what is left at the end of a row.
//
// A last vector of fewer than four floats is loaded whole and stored in part. Loading past the end of an array
// is harmless because the arena keeps a margin behind its last one; storing past it would corrupt a neighbour.

/** Bytes of a float, as a shift. */
export const FLOAT: usize = 2;
/** Bytes of a vector. */
export const VECTOR: usize = 16;

/**
 * sum + a · b: rounded twice, so the same everywhere; with relaxed SIMD once or twice, as suits the processor. For the
 * tiles alone, which spend their time on nothing else.
 */
@inline
export function addProduct(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  else return f32x4.add(sum, f32x4.mul(a, b));
}

/** Stores a vector, or its first lanes when fewer than four floats are `left`. */
@inline
export function put(address: usize, value: v128, left: i32): void {
  if (left >= 4) v128.store(address, value);
  else putFirst(address, value, left);
}

/** Stores the first `count` lanes, 1 to 3, and leaves what lies behind them alone. */
@inline
export function putFirst(address: usize, value: v128, count: i32): void {
  v128.store_lane<f32>(address, value, 0);
  if (count > 1) v128.store_lane<f32>(address, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, value, 2, 8);
}

/** Stores a vector, or its first bytes when fewer than 16 are `left`. */
@inline
export function putBytes(address: usize, value: v128, left: i32): void {
  if (left >= 16) v128.store(address, value);
  else putFirstBytes(address, value, left);
}

/** Stores the first `count` bytes, 1 to 15. */
function putFirstBytes(address: usize, value: v128, count: i32): void {
  if (count & 8) {
    v128.store64_lane(address, value, 0);
    value = v128.shuffle<i64>(value, value, 1, 0);
    address += 8;
  }
  let rest = i64x2.extract_lane(value, 0);
  for (count &= 7; count > 0; count--) {
    i64.store8(address, rest);
    rest >>>= 8;
    address++;
  }
}

/** The value with zeros in the lanes behind the end: for sums, where they must not count. */
@inline
export function keepFirst(value: v128, left: i32): v128 {
  return left >= 4 ? value : v128.and(value, firstLanes(left));
}

/** Ones in the first `count` lanes. */
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** Adds four floats to two sums in double precision, always in the same order. */
@inline
export function addPairs(sums: v128, value: v128): v128 {
  const high = v128.shuffle<i64>(value, value, 1, 0);
  return f64x2.add(sums, f64x2.add(f64x2.promote_low_f32x4(value), f64x2.promote_low_f32x4(high)));
}

/** The sum of two doubles in a vector. */
@inline
export function sumPair(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}
