// Kernels in which every float stands for itself.
import { FLOAT, VECTOR, put, firstLanes } from "./lanes";
import { exponential } from "./exponential";

/**
 * output = F(input). F is a class without state, so that its method is put in line. Two vectors at once: their chains
 * of instructions overlap, and share the loading of constants.
 */
@inline
function map<F>(input: usize, output: usize, length: i32): void {
  const f = changetype<F>(0);
  for (; length >= 8; length -= 8) {
    const low = v128.load(input);
    const high = v128.load(input, VECTOR);
    v128.store(output, f.of(low));
    v128.store(output, f.of(high), VECTOR);
    input += 2 * VECTOR;
    output += 2 * VECTOR;
  }
  for (; length > 0; length -= 4) {
    put(output, f.of(v128.load(input)), length);
    input += VECTOR;
    output += VECTOR;
  }
}

/** output = F(a, b), two vectors at once too. */
@inline
function combine<F>(a: usize, b: usize, output: usize, length: i32): void {
  const f = changetype<F>(0);
  for (; length >= 8; length -= 8) {
    const low = f.of(v128.load(a), v128.load(b));
    const high = f.of(v128.load(a, VECTOR), v128.load(b, VECTOR));
    v128.store(output, low);
    v128.store(output, high, VECTOR);
    a += 2 * VECTOR;
    b += 2 * VECTOR;
    output += 2 * VECTOR;
  }
  for (; length > 0; length -= 4) {
    put(output, f.of(v128.load(a), v128.load(b)), length);
    a += VECTOR;
    b += VECTOR;
    output += VECTOR;
  }
}

@unmanaged
class Relu {
  // Pseudo-maximum with x first: NaN comes out as NaN.
  @inline of(x: v128): v128 {
    return f32x4.pmax(x, f32x4.splat(0));
  }
}

@unmanaged
class ReluBackward {
  @inline of(output: v128, gradient: v128): v128 {
    return v128.and(f32x4.gt(output, f32x4.splat(0)), gradient);
  }
}

@unmanaged
class Sigmoid {
  @inline of(x: v128): v128 {
    const one = f32x4.splat(1);
    return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
  }
}

@unmanaged
class SigmoidBackward {
  @inline of(output: v128, gradient: v128): v128 {
    return f32x4.mul(f32x4.mul(gradient, output), f32x4.sub(f32x4.splat(1), output));
  }
}

@unmanaged
class Tanh {
  @inline of(x: v128): v128 {
    const size = f32x4.abs(x);
    const isSmall = f32x4.lt(size, f32x4.splat(0.625));
    const sign = v128.and(x, i32x4.splat(0x80000000));
    return v128.bitselect(tanhNearZero(x), v128.or(sign, tanhFarFromZero(size)), isSmall);
  }
}

/** x + x³ P(x²); P interpolates (tanh(x) / x − 1) / x² at Chebyshev's nodes up to |x| = 0.625. */
@inline
function tanhNearZero(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-0.0060968524776399136);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.020997274667024612));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-0.0538509301841259));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.1333276927471161));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-0.333333283662796));
  return f32x4.add(x, f32x4.mul(f32x4.mul(x, z), p));
}

/** 1 − 2 / (e^2x + 1), which near zero would cancel. */
@inline
function tanhFarFromZero(x: v128): v128 {
  const one = f32x4.splat(1);
  const square = exponential(f32x4.add(x, x));
  return f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(square, one)));
}

@unmanaged
class TanhBackward {
  @inline of(output: v128, gradient: v128): v128 {
    return f32x4.mul(gradient, f32x4.sub(f32x4.splat(1), f32x4.mul(output, output)));
  }
}

@unmanaged
class Sum {
  @inline of(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

@unmanaged
class Difference {
  @inline of(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
}

export function copy(input: usize, output: usize, length: i32): void {
  memory.copy(output, input, <usize>length << FLOAT);
}

export function relu(input: usize, output: usize, length: i32): void {
  map<Relu>(input, output, length);
}

export function sigmoid(input: usize, output: usize, length: i32): void {
  map<Sigmoid>(input, output, length);
}

export function tanh(input: usize, output: usize, length: i32): void {
  map<Tanh>(input, output, length);
}

export function reluBackward(output: usize, gradient: usize, inputGradient: usize, length: i32): void {
  combine<ReluBackward>(output, gradient, inputGradient, length);
}

export function sigmoidBackward(output: usize, gradient: usize, inputGradient: usize, length: i32): void {
  combine<SigmoidBackward>(output, gradient, inputGradient, length);
}

export function tanhBackward(output: usize, gradient: usize, inputGradient: usize, length: i32): void {
  combine<TanhBackward>(output, gradient, inputGradient, length);
}

export function add(a: usize, b: usize, sum: usize, length: i32): void {
  combine<Sum>(a, b, sum, length);
}

export function subtract(a: usize, b: usize, difference: usize, length: i32): void {
  combine<Difference>(a, b, difference, length);
}

/** values = values · factor, in double precision and rounded once. */
export function scale(values: usize, factor: f64, length: i32): void {
  const factors = f64x2.splat(factor);
  for (; length > 0; length -= 4, values += VECTOR) {
    const x = v128.load(values);
    const low = f64x2.mul(f64x2.promote_low_f32x4(x), factors);
    const high = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0)), factors);
    const both = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
    put(values, both, length);
  }
}

/** True if |value| ≤ limit everywhere. Comparisons with NaN are false, so NaN is never within. */
export function isWithin(values: usize, length: i32, limit: f32): bool {
  const limits = f32x4.splat(limit);
  let within = i32x4.splat(-1);
  for (; length >= 4; length -= 4) {
    within = v128.and(within, f32x4.le(f32x4.abs(v128.load(values)), limits));
    values += VECTOR;
  }
  const last = f32x4.le(f32x4.abs(v128.load(values)), limits);
  // Lanes behind the end count as within.
  return i32x4.all_true(v128.and(within, v128.or(last, v128.not(firstLanes(length)))));
}
