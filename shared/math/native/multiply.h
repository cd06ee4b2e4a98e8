// Matrix products, blocked for the caches after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008). Order of every sum: blocks of 256 steps of the inner dimension; a block's sum is one chain (see
// tile.h); c is the first block's sum, or c plus it, then c plus the next one's.
#include "pack.h"
#include "tile.h"

enum { DEPTH = 256, PANEL = 512, BLOCK_ROWS = 120 };
/** A last block of no more steps goes with the one before it, tile by tile: alone, most of its time is waiting for a and c. */
enum { REST = 64, DEEPEST = DEPTH + REST };
/** With no more rows than this, packing b costs more than reading it where it lies. */
enum { DIRECT_ROWS = LANES == 16 ? 48 : 24 };
/** Lines of a so many floats apart, or a multiple, all meet in one place of the first cache. */
enum { CROWDED = 1024 };
enum { COPY_STRIDE = DEEPEST + 16 };
enum { PACKED_B = DEEPEST * PANEL + 64, PACKED_A = COPY_STRIDE * BLOCK_ROWS + 64 };

typedef struct {
  const float *a, *b;
  float *c;
  word rows, inner, columns;
  int transposeA, transposeB, accumulate;
  float *packedA, *packedB;
} Product;

/** How many vectors of columns the next tile takes: `vectors`, or fewer, so that none but the last has lanes to spare. */
INLINE word vectorsOf(word left, word vectors) {
  while (vectors > 1 && left <= (vectors - 1) * LANES) vectors /= 2;
  return vectors;
}

INLINE int packsB(const Product *p) { return p->transposeB || (p->rows > DIRECT_ROWS && p->inner > 32); }

/** Packs a panel of b, or what of it cannot be read where it lies: its last columns, where they fill no vector. */
static void packPanel(const Product *p, word k, word depth, word column, word width, word most) {
  const word stride = p->transposeB ? p->inner : p->columns;
  const int all = packsB(p);
  float *to = p->packedB;
  word j = 0;
  if (all && !p->transposeB) {
    j = width / (most * LANES) * most * LANES;
    packStrips(p->b + k * stride + column, stride, depth, to, j, most * LANES);
    to += depth * j;
  }
  while (j < width) {
    const word vectors = vectorsOf(width - j, most), pitch = vectors * LANES, here = least(pitch, width - j);
    if (p->transposeB) {
      const float *from = p->b + (column + j) * stride + k;
      for (word line = 0; line < here; line += LANES)
        packLines(from + line * stride, stride, least(LANES, here - line), depth, to + line, pitch);
    } else if (all || here < pitch) {
      packRows(p->b + k * stride + column + j, stride, depth, to, here, pitch);
    }
    to += depth * pitch;
    j += pitch;
  }
}

/** Where a strip of rows of a lies for the tiles. */
typedef struct {
  const float *at;
  word stride;
  /** Floats from a row to the next, where strips begin. */
  word row;
} Left;

/** Whether tiles read rows of a: those that lie side by side are first laid in lines, where enough is computed with them. */
INLINE int isInLines(const Product *p) { return !p->transposeA || (p->columns > 4 * LANES && p->inner > 32); }

/** A block of rows of a: where it lies if that will do, else a copy. */
INLINE Left leftOf(const Product *p, word row, word rows, word k, word depth) {
  if (p->transposeA) {
    const float *from = p->a + k * p->rows + row;
    if (!isInLines(p)) return (Left){from, p->rows, 1};
    for (word s = 0; s < depth; s += LANES)
      packLines(from + s * p->rows, p->rows, least(LANES, depth - s), rows, p->packedA + s, COPY_STRIDE);
    return (Left){p->packedA, COPY_STRIDE, COPY_STRIDE};
  }
  const float *from = p->a + row * p->inner + k;
  if (p->inner % CROWDED || p->columns <= 2 * LANES || rows < LINES) return (Left){from, p->inner, p->inner};
  packRows(from, p->inner, rows, p->packedA, depth, COPY_STRIDE);
  return (Left){p->packedA, COPY_STRIDE, COPY_STRIDE};
}

/** A block of rows times a panel. */
INLINE void multiplyPanel(const Product *p, Left left, word row, word rows, word k, word depth, word column, word width,
                          word most) {
  const int inLines = isInLines(p), add = p->accumulate || k > 0, all = packsB(p);
  const word highest = !inLines ? ROWS : most == 4 ? WIDE_ROWS : LINES;
  // Strips as equal as can be: the first ones of `low` rows, the others of one more.
  const word strips = (rows + highest - 1) / highest, low = rows / strips, lows = strips - rows % strips;
  const word aStep = inLines ? 1 : left.stride;
  const float *packed = p->packedB;
  for (word j = 0; j < width;) {
    const word vectors = vectorsOf(width - j, most), pitch = vectors * LANES, here = least(pitch, width - j);
    const int isPacked = all || here < pitch;
    const float *b = isPacked ? packed : p->b + k * p->columns + column + j;
    const word bStride = isPacked ? pitch : p->columns;
    const float *a = left.at;
    float *c = p->c + row * p->columns + column + j;
    Tile *run = tileOf(low, vectors, inLines);
    for (word strip = 0, height = low; strip < strips; strip++) {
      if (strip == lows) height = low + 1, run = tileOf(height, vectors, inLines);
      for (word s = 0; s < depth; s += DEPTH)
        run(a + s * aStep, left.stride, b + s * bStride, bStride, least(DEPTH, depth - s), c, p->columns, add || s > 0,
            here);
      a += height * left.row;
      c += height * p->columns;
    }
    packed += depth * pitch;
    j += pitch;
  }
}

/** Vectors of columns that a tile takes: with 32 registers as wide as 16 lanes, four of them and fewer rows load less. */
INLINE word widthOf(const Product *p) {
  if (!isInLines(p)) return 2;
  if (p->rows == 1) return ONE_ROW;
  return p->rows <= WIDE_ROWS || (LANES == 16 && p->columns > 2 * LANES) ? 4 : 2;
}

static void multiply(const Product *p) {
  if (p->inner == 0 && !p->accumulate)
    for (word i = 0; i < p->rows * p->columns; i++) p->c[i] = 0;
  const word most = widthOf(p);
  for (word column = 0; column < p->columns; column += PANEL) {
    const word width = least(PANEL, p->columns - column);
    for (word k = 0, depth; k < p->inner; k += depth) {
      depth = p->inner - k <= DEEPEST ? p->inner - k : DEPTH;
      packPanel(p, k, depth, column, width, most);
      for (word row = 0; row < p->rows; row += BLOCK_ROWS) {
        const word rows = least(BLOCK_ROWS, p->rows - row);
        multiplyPanel(p, leftOf(p, row, rows, k, depth), row, rows, k, depth, column, width, most);
      }
    }
  }
}

/** c = op(a) · op(b), or c +=: a, b, c, rows, inner, columns, transposeA, transposeB, accumulate, scratch. */
KERNEL(multiply) {
  const Product p = {FLOATS(0), FLOATS(1), FLOATS(2), WHOLE(3), WHOLE(4), WHOLE(5), WHOLE(6), WHOLE(7), WHOLE(8),
                     FLOATS(9) + PACKED_B, FLOATS(9)};
  multiply(&p);
}

/** Floats that `multiply` needs at its scratch. */
KERNEL(scratchLength) { record[0] = PACKED_A + PACKED_B; }
