// Sums in double precision, always in the same order.
import { VECTOR, keepFirst, sumPair } from "./lanes";
import { subtract } from "./elementwise";

/** Σ a · b. A product of two floats is exact in double precision. */
export function dot(a: usize, b: usize, length: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; length >= 4; length -= 4) {
    const x = v128.load(a);
    const y = v128.load(b);
    low = f64x2.add(low, products(x, y));
    high = f64x2.add(high, products(upper(x), upper(y)));
    a += VECTOR;
    b += VECTOR;
  }
  if (length > 0) {
    const x = keepFirst(v128.load(a), length);
    const y = keepFirst(v128.load(b), length);
    low = f64x2.add(low, products(x, y));
    high = f64x2.add(high, products(upper(x), upper(y)));
  }
  return sumPair(f64x2.add(low, high));
}

/** Of the first two floats of each. */
@inline
function products(a: v128, b: v128): v128 {
  return f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b));
}

@inline
function upper(value: v128): v128 {
  return v128.shuffle<i64>(value, value, 1, 0);
}

/** difference = guess − target; sums, doubles: Σ difference², Σ target², Σ guess², Σ guess · target. */
export function compare(guess: usize, target: usize, difference: usize, length: i32, sums: usize): void {
  subtract(guess, target, difference, length);
  f64.store(sums, dot(difference, difference, length));
  f64.store(sums, dot(target, target, length), 8);
  f64.store(sums, dot(guess, guess, length), 16);
  f64.store(sums, dot(guess, target, length), 24);
}
