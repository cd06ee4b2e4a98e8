import type { Kernels } from "./kernels.ts";
import { seededRandom } from "./random.ts";

/** What a trial found: errors relative to Σ|a||b|, times in milliseconds for one product. */
export interface Trial {
  readonly error: number;
  readonly candidateMs: number;
  readonly provenMs: number;
}

/** A batch of 64 through a layer: large enough to tell the kernels apart, small enough to be done in a moment. */
const SHAPE = { rows: 64, inner: 256, columns: 256 };
const ROUNDS = 9;

/**
 * One random product by both kernel sets, then both timed in turns. The shortest of several times: other processes
 * can only lengthen them. `now` is in milliseconds.
 */
export function tryOut(candidate: Kernels, proven: Kernels, now: () => number): Trial {
  const random = seededRandom(1, 0);
  const [a, b] = [SHAPE.rows * SHAPE.inner, SHAPE.inner * SHAPE.columns].map((length) =>
    drawn(length, random),
  );
  const unsure = productOf(candidate, a!, b!);
  const sure = productOf(proven, a!, b!);
  const sizes = productOf(proven, a!.map(Math.abs), b!.map(Math.abs));
  const error = largestError(unsure.result, sure.result, sizes.result);
  let [candidateMs, provenMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    candidateMs = Math.min(candidateMs, timeOf(unsure.run, now));
    provenMs = Math.min(provenMs, timeOf(sure.run, now));
  }
  return { error, candidateMs, provenMs };
}

// A plain loop: Float32Array.from takes ten times as long, and every process that starts waits for it.
function drawn(length: number, random: () => number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = 2 * random() - 1;
  return values;
}

interface Product {
  readonly result: Float32Array;
  readonly run: () => void;
}

/** In the kernels' own memory, and computed once. */
function productOf(kernels: Kernels, left: Float32Array, right: Float32Array): Product {
  const [a, b] = [left, right].map((values) => {
    const array = kernels.allocate(values.length);
    array.set(values);
    return array;
  });
  const result = kernels.allocate(SHAPE.rows * SHAPE.columns);
  const run = () => kernels.multiply(a!, b!, result, SHAPE);
  run();
  return { result, run };
}

/** Relative to `sizes`, Σ|a||b| of each element; NaN if any is NaN. */
function largestError(result: Float32Array, expected: Float32Array, sizes: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(result[i]! - expected[i]!) / sizes[i]!);
  }
  return largest;
}

function timeOf(run: () => void, now: () => number): number {
  const start = now();
  run();
  return now() - start;
}
