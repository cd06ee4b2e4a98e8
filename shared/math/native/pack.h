// Rewriting a block of a matrix in the order in which the tiles read it. Nothing is read outside the matrix; up to a
// vector may be written behind what is packed, where scratch has room.
#include "lanes.h"

/** `depth` lines of `width` floats, `stride` apart, one behind the other; lanes from `width` up to `pitch` become zeros. */
static void packRows(const float *from, word stride, word depth, float *to, word width, word pitch) {
  for (; depth; depth--, from += stride, to += pitch) {
    word i = 0;
    for (; i + LANES <= width; i += LANES) store(to + i, load(from + i));
    if (i < width) store(to + i, loadFirst(from + i, width - i));
  }
}

/** As `packRows` of each `pitch` columns of lines of `width`, which is a multiple; reads line by line, as caches like it. */
static void packStrips(const float *from, word stride, word depth, float *to, word width, word pitch) {
  for (word k = 0; k < depth; k++, from += stride, to += pitch) {
    float *strip = to;
    for (word j = 0; j < width; j += pitch, strip += depth * pitch)
      for (word i = 0; i < pitch; i += LANES) store(strip + i, load(from + j + i));
  }
}

#if LANES == 16
#define EACH_LANE(a, b, c, d) \
  a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12
#elif LANES == 8
#define EACH_LANE(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4
#else
#define EACH_LANE(a, b, c, d) a, b, c, d
#endif

typedef float Four __attribute__((ext_vector_type(4)));
typedef Four AnyFour __attribute__((aligned(4), may_alias));

/** Four floats of every fourth line, one line in each 128 bits. */
INLINE V fourOfLines(const float *const *lines, word k) {
  V v;
  UNROLL for (int i = 0; i < LANES / 4; i++) {
    const Four four = *(const AnyFour *)(lines[4 * i] + k);
    __builtin_memcpy((char *)&v + 16 * i, &four, 16);
  }
  return v;
}

/** LANES lines of `depth` floats, of which `count` are there, become `depth` groups of one float of each, `pitch` apart. */
static __attribute__((noinline)) void packLines(const float *from, word stride, word count, word depth, float *to,
                                                word pitch) {
  const float *lines[LANES];
  // A line that is not there is the last one again: tiles compute with it and store nothing.
  for (word i = 0; i < LANES; i++) lines[i] = from + least(i, count - 1) * stride;
  word k = 0;
  for (; k + 4 <= depth; k += 4, to += 4 * pitch) {
    const V a = fourOfLines(lines, k), b = fourOfLines(lines + 1, k);
    const V c = fourOfLines(lines + 2, k), d = fourOfLines(lines + 3, k);
    const V abLow = __builtin_shufflevector(a, b, EACH_LANE(0, LANES, 1, LANES + 1));
    const V abHigh = __builtin_shufflevector(a, b, EACH_LANE(2, LANES + 2, 3, LANES + 3));
    const V cdLow = __builtin_shufflevector(c, d, EACH_LANE(0, LANES, 1, LANES + 1));
    const V cdHigh = __builtin_shufflevector(c, d, EACH_LANE(2, LANES + 2, 3, LANES + 3));
    store(to, __builtin_shufflevector(abLow, cdLow, EACH_LANE(0, 1, LANES, LANES + 1)));
    store(to + pitch, __builtin_shufflevector(abLow, cdLow, EACH_LANE(2, 3, LANES + 2, LANES + 3)));
    store(to + 2 * pitch, __builtin_shufflevector(abHigh, cdHigh, EACH_LANE(0, 1, LANES, LANES + 1)));
    store(to + 3 * pitch, __builtin_shufflevector(abHigh, cdHigh, EACH_LANE(2, 3, LANES + 2, LANES + 3)));
  }
  for (; k < depth; k++, to += pitch)
    for (word i = 0; i < LANES; i++) to[i] = lines[i][k];
}
