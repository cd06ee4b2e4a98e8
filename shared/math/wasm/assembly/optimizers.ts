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
  for (; length > 0; length -= 4) {
    const g = f32x4.mul(v128.load(gradient), f32x4.splat(scale));
    const kept = f32x4.mul(f32x4.splat(beta1), v128.load(firstMoment));
    const m = f32x4.add(kept, f32x4.mul(f32x4.splat(complement1), g));
    const keptSquares = f32x4.mul(f32x4.splat(beta2), v128.load(secondMoment));
    const v = f32x4.add(keptSquares, f32x4.mul(f32x4.splat(complement2), f32x4.mul(g, g)));
    const deviation = f32x4.sqrt(f32x4.mul(v, f32x4.splat(secondCorrection)));
    const step = f32x4.div(f32x4.mul(f32x4.splat(rate), m), f32x4.add(deviation, f32x4.splat(epsilon)));
    put(firstMoment, m, length);
    put(secondMoment, v, length);
    put(parameters, f32x4.sub(v128.load(parameters), step), length);
    parameters += VECTOR;
    gradient += VECTOR;
    firstMoment += VECTOR;
    secondMoment += VECTOR;
  }
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
