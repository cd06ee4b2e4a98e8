// Losses and their gradients by the logits, per example. Sums of losses are kept in double precision.
#include "sequences.h"

typedef double Pair __attribute__((ext_vector_type(2)));

/** Adds floats to two sums, four at a time. */
INLINE Pair withPairs(Pair sums, V value) {
  UNROLL for (int i = 0; i < LANES; i += 4)
    sums += (Pair){value[i], value[i + 1]} + (Pair){value[i + 2], value[i + 3]};
  return sums;
}

/** log(1 + x) for 0 ≤ x ≤ 1: 2 artanh(s) with s = x / (2 + x), whose series in s² converges fast. */
INLINE float logOnePlus(float x) {
  const float s = x / (x + 2), z = s * s, twice = s + s;
  float p = 0.1342574954032898f;
  p = p * z + 0.14118309319019318f;
  p = p * z + 0.20003780722618103f;
  p = p * z + 0.33333319425582886f;
  return twice + twice * z * p;
}

/** log(x) of a finite x ≥ 1. */
INLINE double logarithm(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  const uint32_t ofMantissa = (bits & 0x7fffff) | 0x3f800000;
  float mantissa;
  __builtin_memcpy(&mantissa, &ofMantissa, 4);
  return ((int32_t)(bits >> 23) - 127) * 0.6931471805599453 + (double)logOnePlus(mantissa - 1);
}

/** Shifted by the largest logit, which changes nothing but keeps exp from overflowing. */
static double softmaxRow(const float *logits, const float *labels, float *gradient, word columns) {
  const float largest = largestOf(logits, columns);
  Pair totals = 0, labelled = 0, likelihoods = 0;
  for (word i = 0, left = columns; left > 0; i += LANES, left -= LANES) {
    const V x = take(logits + i, left) - largest, y = take(labels + i, left), power = exponential(x);
    totals = withPairs(totals, keepFirst(power, left));
    labelled = withPairs(labelled, y);
    likelihoods = withPairs(likelihoods, keepFirst(y * x, left));
    put(gradient + i, power, left);
  }
  // From 1 to `columns`, unless a logit is NaN or infinite; then `likelihoods` is NaN, and so is what is returned.
  const float total = (float)(totals.x + totals.y);
  for (word i = 0, left = columns; left > 0; i += LANES, left -= LANES)
    put(gradient + i, take(gradient + i, left) / total - take(labels + i, left), left);
  return logarithm(total) * (labelled.x + labelled.y) - (likelihoods.x + likelihoods.y);
}

/** Σ over rows of −Σ_c y log softmax(x)_c; gradient = softmax(x) − y: logits, labels, gradient, rows, columns. */
KERNEL(softmaxCrossEntropy) {
  const float *logits = FLOATS(0), *labels = FLOATS(1);
  float *gradient = FLOATS(2);
  const word columns = WHOLE(4);
  double sum = 0;
  for (word rows = WHOLE(3); rows > 0; rows--, logits += columns, labels += columns, gradient += columns)
    sum += softmaxRow(logits, labels, gradient, columns);
  record[0] = sum;
}
