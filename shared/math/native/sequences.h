// What transformers compute besides products. A sum along a row is sixteen sums, of every sixteenth float, added up half to
// half: the same order by vectors of any width.
#pragma once
#include "columns.h"
#include "exponential.h"

enum { SIXTEEN = 16, PARTS = SIXTEEN / LANES };
/** √(8/π): gelu(x) = x · σ(2u) with 2u = √(8/π)(x + 0.044715 x³), since ½(1 + tanh(u)) = σ(2u). */
#define SLOPE 1.5957691216057308f
#define CUBIC 0.044715f
/** Beyond it σ is 0 or 1, and a power might overflow. */
#define FAR 30

typedef enum { OF_VALUES, OF_SQUARED_DISTANCES, OF_PRODUCTS, OF_THREE } RowTerm;

INLINE V rowTermAt(const RowTerm term, const float *a, const float *b, const float *c, float centre, word i, word left) {
  const V x = take(a + i, left);
  if (term == OF_VALUES) return x;
  if (term == OF_PRODUCTS) return x * take(b + i, left);
  if (term == OF_THREE) return x * take(b + i, left) * take(c + i, left);
  const V distance = x - centre;
  return distance * distance;
}

/** The value with zeros from lane `left` on, which may be less than none. */
INLINE V keepFirst(V value, word left) { return floatsOf(bitsOf(value) & (LANE < (int32_t)left)); }

INLINE float sumOfSixteen(const V sum[PARTS]) {
  float x[SIXTEEN];
  UNROLL for (int part = 0; part < PARTS; part++) store(x + part * LANES, sum[part]);
  UNROLL for (int half = SIXTEEN / 2; half; half /= 2) UNROLL for (int i = 0; i < half; i++) x[i] += x[i + half];
  return x[0];
}

/** The sum of a row of `length` terms. */
INLINE float sumOf(const RowTerm term, const float *a, const float *b, const float *c, float centre, word length) {
  V sum[PARTS];
  UNROLL for (int part = 0; part < PARTS; part++) sum[part] = 0;
  word i = 0;
  for (; i + SIXTEEN <= length; i += SIXTEEN)
    UNROLL for (int part = 0; part < PARTS; part++) sum[part] += rowTermAt(term, a, b, c, centre, i + part * LANES, LANES);
  UNROLL for (int part = 0; part < PARTS; part++) {
    const word at = i + part * LANES, left = length - at;
    if (left > 0) sum[part] += keepFirst(rowTermAt(term, a, b, c, centre, at, left), left);
  }
  return sumOfSixteen(sum);
}

/** Each row to mean 0 and variance 1, times gamma: input, output, normalised, inverse, gamma, rows, columns, epsilon. */
KERNEL(layerNormForward) {
  const float *input = FLOATS(0), *gamma = FLOATS(4);
  float *output = FLOATS(1), *normalised = FLOATS(2), *inverse = FLOATS(3);
  const word columns = WHOLE(6);
  const float count = (float)columns, epsilon = NUMBER(7);
  for (word rows = WHOLE(5); rows > 0; rows--, inverse++) {
    const float mean = sumOf(OF_VALUES, input, 0, 0, 0, columns) / count;
    const float variance = sumOf(OF_SQUARED_DISTANCES, input, 0, 0, mean, columns) / count;
    const float scale = *inverse = 1 / __builtin_elementwise_sqrt(variance + epsilon);
    for (word i = 0, left = columns; left > 0; i += LANES, left -= LANES) {
      const V x = (take(input + i, left) - mean) * scale;
      put(normalised + i, x, left);
      put(output + i, x * take(gamma + i, left), left);
    }
    input += columns, output += columns, normalised += columns;
  }
}

/** gradient, inputGradient, normalised, inverse, gamma, gammaGradient, rows, columns. */
KERNEL(layerNormBackward) {
  const float *gradient = FLOATS(0), *normalised = FLOATS(2), *inverse = FLOATS(3), *gamma = FLOATS(4);
  float *inputGradient = FLOATS(1);
  const word columns = WHOLE(7);
  const float count = (float)columns;
  sumProducts(gradient, normalised, FLOATS(5), WHOLE(6), columns);
  for (word rows = WHOLE(6); rows > 0; rows--, inverse++) {
    const float mean = sumOf(OF_PRODUCTS, gradient, gamma, 0, 0, columns) / count;
    const float along = sumOf(OF_THREE, gradient, gamma, normalised, 0, columns) / count;
    for (word i = 0, left = columns; left > 0; i += LANES, left -= LANES) {
      const V own = take(gradient + i, left) * take(gamma + i, left) - mean;
      put(inputGradient + i, (own - take(normalised + i, left) * along) * *inverse, left);
    }
    gradient += columns, inputGradient += columns, normalised += columns;
  }
}

/** At least −FAR; NaN stays. */
INLINE V notBelow(V x) { return choose(x < -FAR, splat(-FAR), x); }
/** At most FAR; NaN stays. */
INLINE V notAbove(V x) { return choose(x > FAR, splat(FAR), x); }

/** e^−2u. */
INLINE V power(V x) { return exponential((x + x * x * x * CUBIC) * -SLOPE); }
/** σ(2u) of e^−2u. */
INLINE V gate(V power) { return 1 / (1 + power); }

INLINE V geluOf(V input) {
  const V x = notBelow(input);
  return x * gate(power(notAbove(x)));
}

/** σ + x · σ · (1 − σ) · √(8/π)(1 + 3 · 0.044715 x²) is the slope, where 1 − σ = e^−2u σ. */
INLINE V geluBackwardOf(V input, V gradient) {
  const V x = notAbove(notBelow(input)), closing = power(x), open = gate(closing);
  const V inner = (1 + x * x * (3 * CUBIC)) * SLOPE;
  return gradient * (open + closing * open * (x * open) * inner);
}

MAP(gelu, geluOf)
COMBINE(geluBackward, geluBackwardOf)

INLINE float largestOf(const float *values, word length) {
  V largest = splat(-__builtin_inff());
  for (word i = 0, left = length; left > 0; i += LANES, left -= LANES) {
    const V x = take(values + i, left);
    largest = choose((x > largest) & (LANE < (int32_t)left), x, largest);
  }
  float most = largest[0];
  UNROLL for (int lane = 1; lane < LANES; lane++) most = largest[lane] > most ? largest[lane] : most;
  return most;
}

/** Row i becomes the softmax of scale · its first i + 1 floats; what lies behind becomes 0: scores, positions, scale. */
KERNEL(causalSoftmax) {
  float *scores = FLOATS(0);
  const word positions = WHOLE(1);
  const float scale = NUMBER(2);
  for (word seen = 1; seen <= positions; seen++, scores += positions) {
    const float largest = largestOf(scores, seen);
    for (word i = 0, left = seen; left > 0; i += LANES, left -= LANES)
      put(scores + i, exponential((take(scores + i, left) - largest) * scale), left);
    const float total = sumOf(OF_VALUES, scores, 0, 0, 0, seen);
    for (word i = 0, left = positions; left > 0; i += LANES, left -= LANES)
      put(scores + i, keepFirst(take(scores + i, left) / total, seen - i), left);
  }
}

/** gradient: by the weights → by the scores, in place: weights, gradient, positions, scale. */
KERNEL(causalSoftmaxBackward) {
  const float *weights = FLOATS(0);
  float *gradient = FLOATS(1);
  const word positions = WHOLE(2);
  const float scale = NUMBER(3);
  for (word seen = 1; seen <= positions; seen++, weights += positions, gradient += positions) {
    const float along = sumOf(OF_PRODUCTS, weights, gradient, 0, 0, seen);
    for (word i = 0, left = positions; left > 0; i += LANES, left -= LANES) {
      const V own = take(weights + i, left) * scale * (take(gradient + i, left) - along);
      put(gradient + i, keepFirst(own, seen - i), left);
    }
  }
}

/** From matrices of rows × columns pieces to such of columns × rows pieces: from, to, matrices, rows, columns, floats of a piece. */
KERNEL(swapPieces) {
  const float *from = FLOATS(0);
  float *to = FLOATS(1);
  const word rows = WHOLE(3), columns = WHOLE(4), length = WHOLE(5);
  for (word matrices = WHOLE(2); matrices > 0; matrices--, from += rows * columns * length)
    for (word column = 0; column < columns; column++)
      for (word row = 0; row < rows; row++, to += length) {
        const float *piece = from + (row * columns + column) * length;
        for (word i = 0, left = length; left > 0; i += LANES, left -= LANES) put(to + i, take(piece + i, left), left);
      }
}
