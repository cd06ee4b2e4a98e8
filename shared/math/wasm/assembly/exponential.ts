// exp and log of four floats, to about one unit in the last place. NaN comes out as NaN.

/** e^x for |x| ≤ 87; smaller and larger x count as ∓87, so that nothing overflows or becomes denormal. */
@inline
export function exponential(x: v128): v128 {
  // Pseudo-minimum and -maximum with x first are one instruction each, and let NaN through.
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(87)), f32x4.splat(-87));
  // Adding 1.5 · 2^23 rounds to the nearest integer and leaves that integer in the lowest bits.
  const rounding = f32x4.splat(12582912);
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.4426950408889634)), rounding);
  const n = f32x4.sub(shifted, rounding);
  // ln 2 in two parts, the first with so few bits that n times it is exact.
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(0.00021219444005471377)));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return f32x4.mul(exponentialNearZero(r), power);
}

/** 1 + r + r² P(r) for |r| ≤ ln 2 / 2; P interpolates (e^r − 1 − r) / r² at Chebyshev's nodes. */
@inline
function exponentialNearZero(r: v128): v128 {
  let p = f32x4.splat(0.0013926926767453551);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.008363774046301842));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.04166654869914055));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.16666573286056519));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  return f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), f32x4.splat(1));
}

/** log(1 + x) for 0 ≤ x ≤ 1: 2 artanh(s) with s = x / (2 + x), whose series in s² converges fast. */
@inline
export function logOnePlus(x: v128): v128 {
  const s = f32x4.div(x, f32x4.add(x, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  let p = f32x4.splat(0.1342574954032898);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.14118309319019318));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.20003780722618103));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.33333319425582886));
  const twice = f32x4.add(s, s);
  return f32x4.add(twice, f32x4.mul(f32x4.mul(twice, z), p));
}

/** log(x) of a finite x ≥ 1. */
export function logarithm(x: f32): f64 {
  const bits = reinterpret<u32>(x);
  const exponent = <i32>(bits >> 23) - 127;
  const mantissa = reinterpret<f32>((bits & 0x7fffff) | 0x3f800000);
  const rest = f32x4.extract_lane(logOnePlus(f32x4.splat(mantissa - 1)), 0);
  return <f64>exponent * 0.6931471805599453 + <f64>rest;
}
