// Sums in double precision: four of them, of every fourth float, added up half to half.
#include "lanes.h"

typedef float FourFloats __attribute__((ext_vector_type(4)));
typedef FourFloats AnyFourFloats __attribute__((aligned(4), may_alias));
typedef double FourDoubles __attribute__((ext_vector_type(4)));

/** a · b is exact in double precision, so that it does not matter how often it is rounded. */
INLINE FourDoubles withProduct(FourDoubles sums, FourDoubles a, FourDoubles b) {
  return __builtin_elementwise_fma(a, b, sums);
}

INLINE double sumOfFour(FourDoubles sums) { return sums.x + sums.z + (sums.y + sums.w); }

/**
 * difference = guess − target, and Σ difference², Σ target², Σ guess², Σ guess · target: guess, target, difference, length,
 * the sums' address.
 */
KERNEL(compare) {
  const float *guess = FLOATS(0), *target = FLOATS(1);
  float *difference = FLOATS(2);
  double *sums = (double *)ADDRESS(4);
  FourDoubles error = 0, targets = 0, guesses = 0, products = 0;
  for (word i = 0, left = WHOLE(3); left > 0; i += 4, left -= 4) {
    FourFloats s = 0, t = 0;
    if (left >= 4) s = *(const AnyFourFloats *)(guess + i), t = *(const AnyFourFloats *)(target + i);
    else DO_NOT_UNROLL for (word lane = 0; lane < left; lane++) s[lane] = guess[i + lane], t[lane] = target[i + lane];
    const FourFloats d = s - t;
    if (left >= 4) *(AnyFourFloats *)(difference + i) = d;
    else DO_NOT_UNROLL for (word lane = 0; lane < left; lane++) difference[i + lane] = d[lane];
    const FourDoubles x = __builtin_convertvector(s, FourDoubles), y = __builtin_convertvector(t, FourDoubles);
    const FourDoubles z = __builtin_convertvector(d, FourDoubles);
    error = withProduct(error, z, z);
    targets = withProduct(targets, y, y);
    guesses = withProduct(guesses, x, x);
    products = withProduct(products, x, y);
  }
  sums[0] = sumOfFour(error);
  sums[1] = sumOfFour(targets);
  sums[2] = sumOfFour(guesses);
  sums[3] = sumOfFour(products);
}
