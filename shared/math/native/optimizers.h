// One step of an optimizer on one array of parameters, in place.
#include "lanes.h"

/**
 * Adam (Kingma & Ba 2015, algorithm 1), all that depends on the step alone folded into five factors:
 *
 *     m = keep1 · m + add1 · g,    v = keep2 · v + (add2 · g)²,    parameters −= rate · m / (√v + epsilon)
 *
 * parameters, gradient, firstMoment, secondMoment, length, keep1, add1, keep2, add2, rate, epsilon.
 */
KERNEL(adam) {
  float *parameters = FLOATS(0), *first = FLOATS(2), *second = FLOATS(3);
  const float *gradient = FLOATS(1);
  const float keep1 = NUMBER(5), add1 = NUMBER(6), keep2 = NUMBER(7), add2 = NUMBER(8), rate = NUMBER(9), epsilon = NUMBER(10);
  for (word i = 0, left = WHOLE(4); left > 0; i += LANES, left -= LANES) {
    const V g = take(gradient + i, left), added = add2 * g;
    const V m = keep1 * take(first + i, left) + add1 * g;
    const V v = keep2 * take(second + i, left) + added * added;
    put(first + i, m, left);
    put(second + i, v, left);
    put(parameters + i, take(parameters + i, left) - rate * m / (root(v) + epsilon), left);
  }
}

/** velocity = momentum · velocity + gradient · scale; parameters −= rate · velocity: parameters, gradient, velocity, length, scale, momentum, rate. */
KERNEL(sgd) {
  float *parameters = FLOATS(0), *velocity = FLOATS(2);
  const float *gradient = FLOATS(1);
  const float scale = NUMBER(4), momentum = NUMBER(5), rate = NUMBER(6);
  for (word i = 0, left = WHOLE(3); left > 0; i += LANES, left -= LANES) {
    const V moved = momentum * take(velocity + i, left) + take(gradient + i, left) * scale;
    put(velocity + i, moved, left);
    put(parameters + i, take(parameters + i, left) - rate * moved, left);
  }
}
