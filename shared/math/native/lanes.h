// Vectors of as many floats as the processor's registers hold, and what is left at the end of a row.
//
// Every source is compiled once for each set of instructions ("path"). Only here does it matter for which.
// No kernel may fuse a product and an addition but by `fused`: the flags say -ffp-contract=off. Vectors run along
// columns, never along a sum, so that their width cannot be seen in any result.
#pragma once
#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define PATH avx512
#define LANES 16
#define LANE ((I){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif defined(__AVX2__)
#include <immintrin.h>
#define PATH avx2
#define LANES 8
#define LANE ((I){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define PATH neon
#define LANES 4
#define LANE ((I){0, 1, 2, 3})
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define DO_NOT_UNROLL _Pragma("clang loop unroll(disable)")

/** `long` has 32 bits on Windows. */
typedef int64_t word;

typedef float V __attribute__((ext_vector_type(LANES)));
typedef int32_t I __attribute__((ext_vector_type(LANES)));
typedef double Doubles __attribute__((ext_vector_type(LANES)));
typedef V AnyV __attribute__((aligned(4), may_alias));
typedef I AnyI __attribute__((aligned(4), may_alias));

INLINE word least(word a, word b) { return a < b ? a : b; }

INLINE V load(const float *from) { return *(const AnyV *)from; }
INLINE void store(float *to, V v) { *(AnyV *)to = v; }
INLINE V splat(float x) { return (V)x; }
INLINE I bitsOf(V v) { return (I)v; }
INLINE V floatsOf(I bits) { return (V)bits; }

/** a · b + c, rounded once. */
INLINE V fused(V a, V b, V c) { return __builtin_elementwise_fma(a, b, c); }
INLINE V root(V v) { return __builtin_elementwise_sqrt(v); }
INLINE V choose(I which, V yes, V no) { return floatsOf((which & bitsOf(yes)) | (~which & bitsOf(no))); }

/** The first `count` lanes, fewer than all, and zeros. Reads nothing behind them. */
INLINE V loadFirst(const float *from, word count) {
#if LANES == 16
  return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#elif LANES == 8
  return (V)_mm256_maskload_ps(from, (__m256i)(LANE < (int32_t)count));
#else
  V v = 0;
  v.x = from[0];
  if (count > 1) v.y = from[1];
  if (count > 2) v.z = from[2];
  return v;
#endif
}

INLINE void storeFirst(float *to, V v, word count) {
#if LANES == 16
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
#elif LANES == 8
  _mm256_maskstore_ps(to, (__m256i)(LANE < (int32_t)count), (__m256)v);
#else
  to[0] = v.x;
  if (count > 1) to[1] = v.y;
  if (count > 2) to[2] = v.z;
#endif
}

/** A vector of which `left` lanes, or all where it is more, belong to the row. */
INLINE V take(const float *from, word left) { return left >= LANES ? load(from) : loadFirst(from, left); }
INLINE void put(float *to, V v, word left) {
  if (left >= LANES) store(to, v);
  else storeFirst(to, v, left);
}

// A kernel takes one record of numbers, each a double: addresses as bytes from the start of the arena, in which the record
// lies too; in its last place is its own. What a kernel returns goes into the first.
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
enum { OWN_ADDRESS = 15 };
#define JOINED(path, name) path##_##name
#define NAMED(path, name) JOINED(path, name)
#define KERNEL(name) EXPORT void NAMED(PATH, name)(double *record)
#define ADDRESS(i) ((char *)record - (word)record[OWN_ADDRESS] + (word)record[i])
#define FLOATS(i) ((float *)ADDRESS(i))
#define WHOLE(i) ((word)record[i])
#define NUMBER(i) ((float)record[i])
