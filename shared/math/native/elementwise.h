// Kernels in which every float stands for itself. Inputs and outputs may be the same array.
#include "exponential.h"

/** One function for every element, as KERNEL(name): input, output, length. */
#define MAP(name, of) \
  KERNEL(name) { \
    const float *input = FLOATS(0); \
    float *output = FLOATS(1); \
    for (word i = 0, left = WHOLE(2); left > 0; i += LANES, left -= LANES) put(output + i, of(take(input + i, left)), left); \
  }

/** Of two elements: a, b, output, length. */
#define COMBINE(name, of) \
  KERNEL(name) { \
    const float *a = FLOATS(0), *b = FLOATS(1); \
    float *output = FLOATS(2); \
    for (word i = 0, left = WHOLE(3); left > 0; i += LANES, left -= LANES) \
      put(output + i, of(take(a + i, left), take(b + i, left)), left); \
  }

/** NaN comes out as NaN. */
INLINE V rectified(V x) { return choose(x < 0, splat(0), x); }
INLINE V rectifiedBackward(V output, V gradient) { return floatsOf((output > 0) & bitsOf(gradient)); }

INLINE V sigmoidOf(V x) { return 1 / (1 + exponential(-x)); }
INLINE V sigmoidBackwardOf(V output, V gradient) { return gradient * output * (1 - output); }

/** x + x³ P(x²); P interpolates (tanh(x) / x − 1) / x² at Chebyshev's nodes up to |x| = 0.625. */
INLINE V tanhNearZero(V x) {
  const V z = x * x;
  V p = splat(-0.0060968524776399136f);
  p = p * z + 0.020997274667024612f;
  p = p * z + -0.0538509301841259f;
  p = p * z + 0.1333276927471161f;
  p = p * z + -0.333333283662796f;
  return x + x * z * p;
}

/** 1 − 2 / (e^2x + 1), which near zero would cancel. */
INLINE V tanhFarFromZero(V x) { return 1 - 2 / (exponential(x + x) + 1); }

INLINE V tanhOf(V x) {
  const V size = sizeOf(x);
  const I sign = bitsOf(x) & INT32_MIN;
  return choose(size < 0.625f, tanhNearZero(x), floatsOf(sign | bitsOf(tanhFarFromZero(size))));
}
INLINE V tanhBackwardOf(V output, V gradient) { return gradient * (1 - output * output); }

INLINE V sumOfTwo(V a, V b) { return a + b; }
INLINE V differenceOf(V a, V b) { return a - b; }

MAP(relu, rectified)
MAP(sigmoid, sigmoidOf)
MAP(tanh, tanhOf)
COMBINE(reluBackward, rectifiedBackward)
COMBINE(sigmoidBackward, sigmoidBackwardOf)
COMBINE(tanhBackward, tanhBackwardOf)
COMBINE(add, sumOfTwo)
COMBINE(subtract, differenceOf)

/** values = values · factor, in double precision and rounded once: values, factor, length. */
KERNEL(scale) {
  float *values = FLOATS(0);
  const double factor = record[1];
  for (word i = 0, left = WHOLE(2); left > 0; i += LANES, left -= LANES)
    put(values + i, __builtin_convertvector(__builtin_convertvector(take(values + i, left), Doubles) * factor, V), left);
}

/** 1 where |value| ≤ limit everywhere; NaN never is: values, length, limit. */
KERNEL(isWithin) {
  const float *values = FLOATS(0);
  const V limit = splat(NUMBER(2));
  I within = -1;
  for (word i = 0, left = WHOLE(1); left > 0; i += LANES, left -= LANES)
    within &= sizeOf(take(values + i, left)) <= limit;
  int all = -1;
  UNROLL for (int lane = 0; lane < LANES; lane++) all &= within[lane];
  record[0] = all != 0;
}
