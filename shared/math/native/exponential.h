// exp, to about one unit in the last place, as the WebAssembly computes it. NaN comes out as NaN.
#pragma once
#include "lanes.h"

INLINE V sizeOf(V v) { return floatsOf(bitsOf(v) & INT32_MAX); }

/** 1 + r + r² P(r) for |r| ≤ ln 2 / 2; P interpolates (e^r − 1 − r) / r² at Chebyshev's nodes. */
INLINE V exponentialNearZero(V r) {
  V p = splat(0.0013926926767453551f);
  p = p * r + 0.008363774046301842f;
  p = p * r + 0.04166654869914055f;
  p = p * r + 0.16666573286056519f;
  p = p * r + 0.5f;
  return r * r * p + r + 1;
}

/** e^x for |x| ≤ 87; smaller and larger x count as ∓87, so that nothing overflows or becomes denormal. */
INLINE V exponential(V x) {
  x = choose(x > 87, splat(87), x);
  x = choose(x < -87, splat(-87), x);
  // Adding 1.5 · 2^23 rounds to the nearest integer and leaves that integer in the lowest bits.
  const V shifted = x * 1.4426950408889634f + 12582912;
  const V n = shifted - 12582912;
  // ln 2 in two parts, the first with so few bits that n times it is exact.
  const V r = x - n * 0.693359375f + n * 0.00021219444005471377f;
  const I power = (bitsOf(shifted) << 23) + 0x3f800000;
  return exponentialNearZero(r) * floatsOf(power);
}
