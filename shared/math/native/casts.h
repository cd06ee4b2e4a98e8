// Casts between floats and the narrower types in which they travel: the bits that kernels.ts promises, and those of casts.ts
// of the WebAssembly.
#include "exponential.h"

typedef uint32_t U __attribute__((ext_vector_type(LANES)));
typedef uint16_t Shorts __attribute__((ext_vector_type(LANES)));
typedef int8_t Ints __attribute__((ext_vector_type(LANES)));
typedef uint8_t Bytes __attribute__((ext_vector_type(LANES)));

enum { INFINITE = 0x7f800000 };
/** Bits of 65504, the largest half, and of 2^-14, the smallest with a full mantissa. */
enum { LARGEST_HALF = 0x477fe000, SMALLEST_HALF = 113 << 23 };
/** From the exponent of a half to that of a float; all exponent bits of a half, where they lie in a float. */
enum { REBIAS = 112 << 23, HALF_EXPONENT = 0x1f << 23 };
/** Bits of ½, whose last bit is worth 2^-24, as is that of a half below the smallest one. */
enum { ONE_HALF = 126 << 23 };
enum { LARGEST_BFLOAT = 0x7f7f0000 };

INLINE I bits(int32_t same) { return (I)same; }
INLINE I chosen(I which, I yes, I no) { return (which & yes) | (~which & no); }
INLINE I lowered(I v, int by) { return (I)((U)v >> (U)(uint32_t)by); }

/** As `put` and `take`, of elements of another size. */
#define PUT(to, vector, left) \
  if (left >= LANES) __builtin_memcpy(to, &vector, sizeof vector); \
  else DO_NOT_UNROLL for (word lane = 0; lane < left; lane++) (to)[lane] = vector[lane];
#define TAKE(vector, from, left) \
  if (left >= LANES) __builtin_memcpy(&vector, from, sizeof vector); \
  else DO_NOT_UNROLL for (word lane = 0; lane < left; lane++) vector[lane] = (from)[lane];

/** Beyond `largest`: its own, an infinity, or NaN. */
INLINE I large(I size, int32_t largest, int32_t infinity, int32_t quiet) {
  return chosen(size >= INFINITE, bits(infinity), bits(largest)) | ((size > INFINITE) & quiet);
}

INLINE I toHalf(I v) {
  const I size = v & INT32_MAX, sign = lowered(v & INT32_MIN, 16);
  // Half of the last bit that stays is added, less one unless that bit is odd: what is carried is the rounding.
  const I normal = lowered(size + (0xfff - REBIAS) + (lowered(size, 13) & 1), 13);
  const I small = bitsOf(floatsOf(size) + floatsOf(bits(ONE_HALF))) - ONE_HALF;
  const I finite = chosen(size < SMALLEST_HALF, small, normal);
  return sign | chosen(size > LARGEST_HALF, large(size, 0x7bff, 0x7c00, 0x200), finite);
}

INLINE I toBfloat(I v) {
  const I size = v & INT32_MAX, sign = lowered(v & INT32_MIN, 16);
  const I nearest = lowered(v + 0x7fff + (lowered(v, 16) & 1), 16);
  return chosen(size > LARGEST_BFLOAT, sign | large(size, 0x7f7f, 0x7f80, 0x40), nearest);
}

INLINE I fromHalf(I half) {
  const I size = (half & 0x7fff) << 13, exponent = size & HALF_EXPONENT;
  const I normal = size + REBIAS + ((exponent == HALF_EXPONENT) & REBIAS);
  // Below the smallest normal half: its mantissa with a one before it, less that one.
  const I small = bitsOf(floatsOf(size + SMALLEST_HALF) - floatsOf(bits(SMALLEST_HALF)));
  return chosen(exponent == 0, small, normal) | (half & 0x8000) << 16;
}

INLINE I fromBfloat(I bfloat) { return bfloat << 16; }

/** Floats, 16 bits each, length. */
#define NARROW(name, of) \
  KERNEL(name) { \
    const float *values = FLOATS(0); \
    uint16_t *shorts = (uint16_t *)ADDRESS(1); \
    for (word i = 0, left = WHOLE(2); left > 0; i += LANES, left -= LANES) { \
      const Shorts out = __builtin_convertvector(of(bitsOf(take(values + i, left))), Shorts); \
      PUT(shorts + i, out, left) \
    } \
  }
/** 16 bits each, floats, length. */
#define WIDEN(name, of) \
  KERNEL(name) { \
    const uint16_t *shorts = (uint16_t *)ADDRESS(0); \
    float *values = FLOATS(1); \
    for (word i = 0, left = WHOLE(2); left > 0; i += LANES, left -= LANES) { \
      Shorts in = 0; \
      TAKE(in, shorts + i, left) \
      put(values + i, floatsOf(of(__builtin_convertvector(in, I))), left); \
    } \
  }

NARROW(floatsToHalves, toHalf)
NARROW(floatsToBfloats, toBfloat)
WIDEN(halvesToFloats, fromHalf)
WIDEN(bfloatsToFloats, fromBfloat)

/** The largest size of a row, as bits: they grow with it, and those of infinity and NaN are above all others. */
INLINE int32_t largestBits(const float *row, word columns) {
  I largest = 0;
  for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES) {
    const I size = bitsOf(take(row + j, left)) & INT32_MAX;
    largest = chosen(size > largest, size, largest);
  }
  int32_t most = 0;
  UNROLL for (int lane = 0; lane < LANES; lane++) most = largest[lane] > most ? largest[lane] : most;
  return most;
}

/** values, ints, scales, rows, columns. */
KERNEL(floatsToInts) {
  const float *row = FLOATS(0);
  int8_t *ints = (int8_t *)ADDRESS(1);
  float *scales = FLOATS(2);
  const word columns = WHOLE(4);
  for (word rows = WHOLE(3); rows > 0; rows--, row += columns, ints += columns, scales++) {
    const int32_t most = largestBits(row, columns);
    float largest;
    __builtin_memcpy(&largest, &most, 4);
    const float scale = largest / 127;
    const int isUsable = most < INFINITE && scale >= 0x1p-126f;
    *scales = isUsable ? scale : most >= INFINITE ? __builtin_inff() : 0;
    const V inverse = splat(isUsable ? 1 / scale : 0);
    for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES) {
      // Adding 1.5 · 2^23 leaves the nearest whole number in the last bits, ties to even.
      const I whole = bitsOf(take(row + j, left) * inverse + 12582912) - 0x4b400000;
      const Ints out = isUsable ? __builtin_convertvector(whole, Ints) : (Ints)0;
      PUT(ints + j, out, left)
    }
  }
}

/** ints, scales, values, rows, columns. */
KERNEL(intsToFloats) {
  const int8_t *ints = (int8_t *)ADDRESS(0);
  const float *scales = FLOATS(1);
  float *values = FLOATS(2);
  const word columns = WHOLE(4);
  for (word rows = WHOLE(3); rows > 0; rows--, ints += columns, values += columns, scales++)
    for (word j = 0, left = columns; left > 0; j += LANES, left -= LANES) {
      Ints in = 0;
      TAKE(in, ints + j, left)
      put(values + j, __builtin_convertvector(in, V) * *scales, left);
    }
}

/** values = bytes · scale, in double precision and rounded once: bytes, scale, values, length. */
KERNEL(bytesToFloats) {
  const uint8_t *bytes = (uint8_t *)ADDRESS(0);
  const double scale = record[1];
  float *values = FLOATS(2);
  for (word i = 0, left = WHOLE(3); left > 0; i += LANES, left -= LANES) {
    Bytes in = 0;
    TAKE(in, bytes + i, left)
    put(values + i, __builtin_convertvector(__builtin_convertvector(in, Doubles) * scale, V), left);
  }
}
