// One step of an optimizer on one array of parameters, in place.
import { VECTOR, put } from "./lanes";

/**
 * Adam (Kingma & Ba 2015, algorithm 1), with all that depends on the step alone folded into five factors, so that the
 * root and the quotient are all that takes time:
 *
 *     m = keep1 · m + add1 · g,    v = keep2 · v + (add2 · g)²,    parameters −= rate · m / (√v + epsilon)
 */
export function adam(
  parameters: usize,
  gradient: usize,
  firstMoment: usize,
  secondMoment: usize,
  length: i32,
  keep1: f32,
  add1: f32,
  keep2: f32,
  add2: f32,
  rate: f32,
  epsilon: f32,
): void {
  // Two vectors at once: one's root and quotient are computed while the other's are waited for.
  for (; length >= 8; length -= 8) {
    const g1 = v128.load(gradient);
    const m1 = movedFirst(firstMoment, g1, keep1, add1);
    const v1 = movedSecond(secondMoment, g1, keep2, add2);
    const g2 = v128.load(gradient, VECTOR);
    const m2 = movedFirst(firstMoment + VECTOR, g2, keep1, add1);
    const v2 = movedSecond(secondMoment + VECTOR, g2, keep2, add2);
    v128.store(firstMoment, m1);
    v128.store(firstMoment, m2, VECTOR);
    v128.store(secondMoment, v1);
    v128.store(secondMoment, v2, VECTOR);
    const step1 = stepOf(m1, v1, rate, epsilon);
    const step2 = stepOf(m2, v2, rate, epsilon);
    v128.store(parameters, f32x4.sub(v128.load(parameters), step1));
    v128.store(parameters, f32x4.sub(v128.load(parameters, VECTOR), step2), VECTOR);
    parameters += 2 * VECTOR;
    gradient += 2 * VECTOR;
    firstMoment += 2 * VECTOR;
    secondMoment += 2 * VECTOR;
  }
  for (; length > 0; length -= 4) {
    const g = v128.load(gradient);
    const m = movedFirst(firstMoment, g, keep1, add1);
    const v = movedSecond(secondMoment, g, keep2, add2);
    put(firstMoment, m, length);
    put(secondMoment, v, length);
    put(parameters, f32x4.sub(v128.load(parameters), stepOf(m, v, rate, epsilon)), length);
    parameters += VECTOR;
    gradient += VECTOR;
    firstMoment += VECTOR;
    secondMoment += VECTOR;
  }
}

@inline
function movedFirst(moment: usize, gradient: v128, keep: f32, add: f32): v128 {
  const kept = f32x4.mul(f32x4.splat(keep), v128.load(moment));
  return f32x4.add(kept, f32x4.mul(f32x4.splat(add), gradient));
}

@inline
function movedSecond(moment: usize, gradient: v128, keep: f32, add: f32): v128 {
  const kept = f32x4.mul(f32x4.splat(keep), v128.load(moment));
  const added = f32x4.mul(f32x4.splat(add), gradient);
  return f32x4.add(kept, f32x4.mul(added, added));
}

@inline
function stepOf(m: v128, v: v128, rate: f32, epsilon: f32): v128 {
  return f32x4.div(f32x4.mul(f32x4.splat(rate), m), f32x4.add(f32x4.sqrt(v), f32x4.splat(epsilon)));
}

/** velocity = momentum · velocity + gradient · scale; parameters −= rate · velocity. */
export function sgd(
  parameters: usize,
  gradient: usize,
  velocity: usize,
  length: i32,
  scale: f32,
  momentum: f32,
  rate: f32,
): void {
  for (; length > 0; length -= 4) {
    const kept = f32x4.mul(f32x4.splat(momentum), v128.load(velocity));
    const moved = f32x4.add(kept, f32x4.mul(v128.load(gradient), f32x4.splat(scale)));
    put(velocity, moved, length);
    put(parameters, f32x4.sub(v128.load(parameters), f32x4.mul(f32x4.splat(rate), moved)), length);
    parameters += VECTOR;
    gradient += VECTOR;
    velocity += VECTOR;
  }
}
