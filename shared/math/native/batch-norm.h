// Batch normalisation: Ioffe & Szegedy 2015, algorithm 1. One vector of columns at a time, down all rows.
#include "columns.h"

INLINE void divide(float *values, word length, float divisor) {
  for (word i = 0, left = length; left > 0; i += LANES, left -= LANES) put(values + i, take(values + i, left) / divisor, left);
}

/** 1 / √(variance + ε). */
INLINE V inverseDeviation(V variance, float epsilon) { return 1 / root(variance + epsilon); }

INLINE void normalise(const float *input, float *output, float *normalised, V mean, V inverse, V gamma, V beta, word rows,
                      word columns, word left) {
  for (word i = 0; rows > 0; rows--, i += columns) {
    const V value = (take(input + i, left) - mean) * inverse;
    put(normalised + i, value, left);
    put(output + i, value * gamma + beta, left);
  }
}

/** input, output, normalised, mean, variance, gamma, beta, rows, columns, epsilon. Leaves mean, (biased) variance, normalised. */
KERNEL(batchNormForward) {
  const float *input = FLOATS(0), *gamma = FLOATS(5), *beta = FLOATS(6);
  float *output = FLOATS(1), *normalised = FLOATS(2), *mean = FLOATS(3), *variance = FLOATS(4);
  const word rows = WHOLE(7), columns = WHOLE(8);
  const float epsilon = NUMBER(9);
  sumValues(input, mean, rows, columns);
  divide(mean, columns, (float)rows);
  sumTerms(SQUARED_DISTANCE, input, mean, variance, rows, columns);
  divide(variance, columns, (float)rows);
  for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES) {
    const V inverse = inverseDeviation(take(variance + j, left), epsilon);
    const V m = take(mean + j, left), g = take(gamma + j, left), b = take(beta + j, left);
    if (left >= LANES) normalise(input + j, output + j, normalised + j, m, inverse, g, b, rows, columns, LANES);
    else normalise(input + j, output + j, normalised + j, m, inverse, g, b, rows, columns, left);
  }
}

INLINE void passBack(const float *gradient, const float *normalised, float *inputGradient, V factor, V betaShare, V gammaShare,
                     word rows, word columns, word left) {
  for (word i = 0; rows > 0; rows--, i += columns) {
    const V own = take(gradient + i, left) - (betaShare + take(normalised + i, left) * gammaShare);
    put(inputGradient + i, factor * own, left);
  }
}

/** gradient, inputGradient, normalised, variance, gamma, gammaGradient, betaGradient, rows, columns, epsilon. */
KERNEL(batchNormBackward) {
  const float *gradient = FLOATS(0), *normalised = FLOATS(2), *variance = FLOATS(3), *gamma = FLOATS(4);
  float *inputGradient = FLOATS(1), *gammaGradient = FLOATS(5), *betaGradient = FLOATS(6);
  const word rows = WHOLE(7), columns = WHOLE(8);
  const float epsilon = NUMBER(9), count = (float)rows;
  sumValues(gradient, betaGradient, rows, columns);
  sumProducts(gradient, normalised, gammaGradient, rows, columns);
  for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES) {
    const V factor = inverseDeviation(take(variance + j, left), epsilon) * take(gamma + j, left);
    const V b = take(betaGradient + j, left) / count, g = take(gammaGradient + j, left) / count;
    if (left >= LANES) passBack(gradient + j, normalised + j, inputGradient + j, factor, b, g, rows, columns, LANES);
    else passBack(gradient + j, normalised + j, inputGradient + j, factor, b, g, rows, columns, left);
  }
}
