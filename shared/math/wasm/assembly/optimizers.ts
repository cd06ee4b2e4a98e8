// One step of an optimizer on one array of parameters, in place.
import { VECTOR, put } from "./lanes";

/**
 * Adam (Kingma & Ba 2015, algorithm 1). What depends on the step alone comes computed: `rate` is
 * α / (1 − β1^t), `secondCorrection` 1 / (1 − β2^t), and the complements are 1 − β in full precision.
 */
export function adam(
  parameters: usize,
  gradient: usize,
  firstMoment: usize,
  secondMoment: usize,
  length: i32,
  scale: f32,
  beta1: f32,
  complement1: f32,
  beta2: f32,
  complement2: f32,
  rate: f32,
  secondCorrection: f32,
  epsilon: f32,
): void {
  // Two vectors at once: one's root and quotient are computed while the other's are waited for.
  for (; length >= 8; length -= 8) {
    const g1 = f32x4.mul(v128.load(gradient), f32x4.splat(scale));
    const m1 = moved(v128.load(firstMoment), g1, beta1, complement1);
    const v1 = moved(v128.load(secondMoment), f32x4.mul(g1, g1), beta2, complement2);
    const step1 = stepOf(m1, v1, rate, secondCorrection, epsilon);
    const g2 = f32x4.mul(v128.load(gradient, VECTOR), f32x4.splat(scale));
    const m2 = moved(v128.load(firstMoment, VECTOR), g2, beta1, complement1);
    const v2 = moved(v128.load(secondMoment, VECTOR), f32x4.mul(g2, g2), beta2, complement2);
    const step2 = stepOf(m2, v2, rate, secondCorrection, epsilon);
    v128.store(firstMoment, m1);
    v128.store(firstMoment, m2, VECTOR);
    v128.store(secondMoment, v1);
    v128.store(secondMoment, v2, VECTOR);
    v128.store(parameters, f32x4.sub(v128.load(parameters), step1));
    v128.store(parameters, f32x4.sub(v128.load(parameters, VECTOR), step2), VECTOR);
    parameters += 2 * VECTOR;
    gradient += 2 * VECTOR;
    firstMoment += 2 * VECTOR;
    secondMoment += 2 * VECTOR;
  }
  for (; length > 0; length -= 4) {
    const g = f32x4.mul(v128.load(gradient), f32x4.splat(scale));
    const m = moved(v128.load(firstMoment), g, beta1, complement1);
    const v = moved(v128.load(secondMoment), f32x4.mul(g, g), beta2, complement2);
    const step = stepOf(m, v, rate, secondCorrection, epsilon);
    put(firstMoment, m, length);
    put(secondMoment, v, length);
    put(parameters, f32x4.sub(v128.load(parameters), step), length);
    parameters += VECTOR;
    gradient += VECTOR;
    firstMoment += VECTOR;
    secondMoment += VECTOR;
  }
}

/** beta · moment + complement · value. */
@inline
function moved(moment: v128, value: v128, beta: f32, complement: f32): v128 {
  return f32x4.add(f32x4.mul(f32x4.splat(beta), moment), f32x4.mul(f32x4.splat(complement), value));
}

/** rate · m / (√(v · secondCorrection) + epsilon). */
@inline
function stepOf(m: v128, v: v128, rate: f32, secondCorrection: f32, epsilon: f32): v128 {
  const deviation = f32x4.sqrt(f32x4.mul(v, f32x4.splat(secondCorrection)));
  return f32x4.div(f32x4.mul(f32x4.splat(rate), m), f32x4.add(deviation, f32x4.splat(epsilon)));
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
