// Tiles: some rows by some vectors of columns of a product, whose sums stay in registers while the inner dimension passes.
// Every element is one chain of fused multiply-adds from +0, in ascending order, whichever tile computes it.
#include "lanes.h"

// Most rows of a tile whose rows lie side by side; of one of lines; of one of lines by four vectors. Vectors of a single row.
#if LANES == 16
enum { ROWS = 12, LINES = 8, WIDE_ROWS = 6, ONE_ROW = 16 };
#elif LANES == 8
enum { ROWS = 6, LINES = 6, WIDE_ROWS = 3, ONE_ROW = 8 };
#else
enum { ROWS = 8, LINES = 8, WIDE_ROWS = 4, ONE_ROW = 16 };
#endif

/**
 * c (rows × width) = or += a · b. Rows of c are `cStride` floats apart, steps of b `bStride`; `aStride` is from row to row
 * where a lies in lines, from step to step where the rows of a step lie side by side. `width`: columns, the last vector's
 * may be fewer; of b all lanes are read.
 */
typedef void Tile(const float *a, word aStride, const float *b, word bStride, word depth, float *c, word cStride, int add,
                  word width);

/** One step of the inner dimension. */
INLINE void addStep(const int rows, const int vectors, V sum[ROWS][ONE_ROW], const float *a, word aRow, const float *b) {
  V step[ONE_ROW];
  UNROLL for (int v = 0; v < vectors; v++) step[v] = load(b + v * LANES);
  UNROLL for (int i = 0; i < rows; i++) {
    const V factor = splat(a[i * aRow]);
    UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = fused(factor, step[v], sum[i][v]);
  }
}

INLINE void tile(const int rows, const int vectors, const int inLines, const float *a, word aStride, const float *b,
                 word bStride, word depth, float *c, word cStride, int add, word width) {
  // Of large tiles some steps without a jump; to small ones it makes no difference.
  const word together = rows * vectors >= (LANES == 16 ? 16 : 10) ? 4 : 1;
  const word aRow = inLines ? aStride : 1, aStep = inLines ? 1 : aStride;
  // Else the first sight of c, which has left the first cache, comes when its sums are due.
  UNROLL for (int i = 0; i < rows; i++) __builtin_prefetch(c + i * cStride, 1);
  V sum[ROWS][ONE_ROW];
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = 0;
  word k = 0;
  DO_NOT_UNROLL for (; k + together <= depth; k += together)
    UNROLL for (word s = 0; s < together; s++, a += aStep, b += bStride) addStep(rows, vectors, sum, a, aRow, b);
  DO_NOT_UNROLL for (; k < depth; k++, a += aStep, b += bStride) addStep(rows, vectors, sum, a, aRow, b);
  const int last = vectors - 1;
  // Where the width is not whole it lies in the last vector.
  const word rest = width - last * LANES;
  if (add) {
    UNROLL for (int i = 0; i < rows; i++) {
      const float *row = c + i * cStride;
      UNROLL for (int v = 0; v < last; v++) sum[i][v] = load(row + v * LANES) + sum[i][v];
      sum[i][last] = take(row + last * LANES, rest) + sum[i][last];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) {
    float *row = c + i * cStride;
    UNROLL for (int v = 0; v < last; v++) store(row + v * LANES, sum[i][v]);
    put(row + last * LANES, sum[i][last], rest);
  }
}

#define TILE(rows, vectors, inLines, name) \
  static __attribute__((noinline)) void name(const float *a, word aStride, const float *b, word bStride, word depth, \
                                             float *c, word cStride, int add, word width) { \
    tile(rows, vectors, inLines, a, aStride, b, bStride, depth, c, cStride, add, width); \
  }
#define SIDE_BY_SIDE(rows, vectors) TILE(rows, vectors, 0, side##rows##x##vectors)
#define IN_LINES(rows, vectors) TILE(rows, vectors, 1, line##rows##x##vectors)
#define CASE(kind, rows, vectors) \
  case vectors * 16 + rows: return kind##rows##x##vectors;

#define UP_TO_3(each, v) each(1, v) each(2, v) each(3, v)
#define UP_TO_4(each, v) UP_TO_3(each, v) each(4, v)
#define UP_TO_6(each, v) UP_TO_4(each, v) each(5, v) each(6, v)
#define UP_TO_8(each, v) UP_TO_6(each, v) each(7, v) each(8, v)
#define UP_TO_12(each, v) UP_TO_8(each, v) each(9, v) each(10, v) each(11, v) each(12, v)
#if LANES == 16
#define SIDES(each) UP_TO_12(each, 1) UP_TO_12(each, 2)
#define LINED(each) UP_TO_8(each, 1) UP_TO_8(each, 2) UP_TO_6(each, 4) each(1, 8) each(1, 16)
#elif LANES == 8
#define SIDES(each) UP_TO_6(each, 1) UP_TO_6(each, 2)
#define LINED(each) UP_TO_6(each, 1) UP_TO_6(each, 2) UP_TO_3(each, 4) each(1, 8)
#else
#define SIDES(each) UP_TO_8(each, 1) UP_TO_8(each, 2)
#define LINED(each) UP_TO_8(each, 1) UP_TO_8(each, 2) UP_TO_4(each, 4) each(1, 8) each(1, 16)
#endif

SIDES(SIDE_BY_SIDE)
LINED(IN_LINES)

#define SIDE_CASE(rows, vectors) CASE(side, rows, vectors)
#define LINE_CASE(rows, vectors) CASE(line, rows, vectors)
static Tile *tileOf(word rows, word vectors, int inLines) {
  if (inLines) switch (vectors * 16 + rows) { LINED(LINE_CASE) }
  else switch (vectors * 16 + rows) { SIDES(SIDE_CASE) }
  __builtin_unreachable();
}
