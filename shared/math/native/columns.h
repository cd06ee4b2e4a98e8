// Kernels over the columns of a matrix, one example a row. A sum over rows adds four rows at a time: less rounding.
#pragma once
#include "lanes.h"

typedef enum { VALUE, PRODUCT, SQUARED_DISTANCE } Term;

/** What a sum adds for some floats `i` into the matrix and `j` into its row. */
INLINE V termAt(const Term term, const float *a, const float *b, word i, word j, word left) {
  const V x = take(a + i, left);
  if (term == VALUE) return x;
  if (term == PRODUCT) return x * take(b + i, left);
  const V distance = x - take(b + j, left);
  return distance * distance;
}

INLINE void sumSome(const int vectors, const Term term, const float *a, const float *b, float *sums, word rows,
                    word columns, word j, word left) {
  V sum[4];
  UNROLL for (int v = 0; v < vectors; v++) sum[v] = 0;
  word i = j;
  for (; rows >= 4; rows -= 4, i += 4 * columns)
    UNROLL for (int v = 0; v < vectors; v++) {
      const word at = i + v * LANES, of = j + v * LANES;
      const V first = termAt(term, a, b, at, of, left) + termAt(term, a, b, at + columns, of, left);
      const word third = at + 2 * columns;
      const V second = termAt(term, a, b, third, of, left) + termAt(term, a, b, third + columns, of, left);
      sum[v] += first + second;
    }
  for (; rows > 0; rows--, i += columns)
    UNROLL for (int v = 0; v < vectors; v++) sum[v] += termAt(term, a, b, i + v * LANES, j + v * LANES, left);
  UNROLL for (int v = 0; v < vectors; v++) put(sums + j + v * LANES, sum[v], left);
}

INLINE void sumTerms(const Term term, const float *a, const float *b, float *sums, word rows, word columns) {
  word j = 0;
  for (; j + 4 * LANES <= columns; j += 4 * LANES) sumSome(4, term, a, b, sums, rows, columns, j, LANES);
  for (; j + LANES <= columns; j += LANES) sumSome(1, term, a, b, sums, rows, columns, j, LANES);
  if (j < columns) sumSome(1, term, a, b, sums, rows, columns, j, columns - j);
}

/** sums[c] = Σ_r a[r][c]. */
static __attribute__((noinline)) void sumValues(const float *a, float *sums, word rows, word columns) {
  sumTerms(VALUE, a, 0, sums, rows, columns);
}
/** sums[c] = Σ_r a[r][c] · b[r][c]. */
static __attribute__((noinline)) void sumProducts(const float *a, const float *b, float *sums, word rows, word columns) {
  sumTerms(PRODUCT, a, b, sums, rows, columns);
}

/** matrix, sums, rows, columns. */
KERNEL(sumRows) { sumValues(FLOATS(0), FLOATS(1), WHOLE(2), WHOLE(3)); }

/** matrix[r][c] += bias[c]: matrix, bias, rows, columns. */
KERNEL(addBias) {
  const float *bias = FLOATS(1);
  const word columns = WHOLE(3);
  float *row = FLOATS(0);
  for (word rows = WHOLE(2); rows > 0; rows--, row += columns)
    for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES)
      put(row + j, take(row + j, left) + take(bias + j, left), left);
}
