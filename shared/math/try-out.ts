import type { Kernels } from "./kernels.ts";
import { normal, seededRandom } from "./random.ts";

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
  const [unsure, sure] = [candidate, proven].map(productOf);
  const error = largestError(unsure!, sure!);
  let [candidateMs, provenMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    candidateMs = Math.min(candidateMs, timeOf(unsure!.run, now));
    provenMs = Math.min(provenMs, timeOf(sure!.run, now));
  }
  return { error, candidateMs, provenMs };
}

interface Product {
  readonly result: Float32Array;
  /** Σ|a||b| of each element. */
  readonly sizes: Float32Array;
  readonly run: () => void;
}

/** The same numbers in each set's own memory. */
function productOf(kernels: Kernels): Product {
  const random = seededRandom(1, 0);
  const filled = (length: number, value: (i: number) => number) => {
    const array = kernels.allocate(length);
    for (let i = 0; i < length; i++) array[i] = value(i);
    return array;
  };
  const [a, b] = [SHAPE.rows * SHAPE.inner, SHAPE.inner * SHAPE.columns].map((length) =>
    filled(length, () => normal(random)),
  );
  const [aSizes, bSizes] = [a!, b!].map((array) => filled(array.length, (i) => Math.abs(array[i]!)));
  const [result, sizes] = [0, 1].map(() => kernels.allocate(SHAPE.rows * SHAPE.columns));
  const run = () => kernels.multiply(a!, b!, result!, SHAPE);
  run();
  kernels.multiply(aSizes!, bSizes!, sizes!, SHAPE);
  return { result: result!, sizes: sizes!, run };
}

/** NaN if any is NaN. */
function largestError({ result }: Product, { result: expected, sizes }: Product): number {
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
