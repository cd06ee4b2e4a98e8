import { expect } from "vitest";
import type { Kernels } from "../../shared/math/kernels.ts";

/** Floats before and behind every array; not a multiple of four, so that the array is not aligned either. */
const CANARIES = 13;
/** A NaN of our own: a kernel that computes with what lies outside its arrays shows it in its results. */
const CANARY_BITS = 0x7fc0beef;

/** A copy of `values` in the kernels' memory, between canaries. */
export function guarded(kernels: Kernels, values: Float32Array): Float32Array {
  const wide = kernels.allocate(values.length + 2 * CANARIES);
  bitsOf(wide).fill(CANARY_BITS);
  const array = wide.subarray(CANARIES, CANARIES + values.length);
  array.set(values);
  return array;
}

/** True if nobody wrote before or behind a guarded array. */
export function isIntact(array: Float32Array): boolean {
  const start = array.byteOffset - 4 * CANARIES;
  const before = new Uint32Array(array.buffer, start, CANARIES);
  const behind = new Uint32Array(array.buffer, array.byteOffset + array.byteLength, CANARIES);
  return [...before, ...behind].every((bits) => bits === CANARY_BITS);
}

export function bitsOf(array: Float32Array): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.length);
}

/** Equality of bits, so that 0 differs from −0 and a NaN equals itself; large arrays in no time. */
export function haveSameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength));
  return x!.equals(y!);
}

interface Sides {
  /** The kernels under test. */
  readonly subject: Kernels;
  /** What they are compared with. */
  readonly oracle: Kernels;
}

/**
 * Runs a computation on the same numbers with both kernel sets and expects every array (the inputs too) and what is
 * returned to agree within `tolerance`, relative to each value or to `floor` where that is larger; the canaries
 * to be alive; and a second run to give the same bits.
 */
export function expectAgreement(
  { subject, oracle }: Sides,
  arrays: readonly Float32Array[],
  run: (kernels: Kernels, arrays: Float32Array[]) => number | boolean | undefined,
  { tolerance = 1e-5, floor = 1e-30 } = {},
): void {
  const expected = arrays.map((values) => values.slice());
  const expectedReturn = run(oracle, expected);
  const [first, second] = [subject, subject].map((kernels) => {
    const copies = arrays.map((values) => guarded(kernels, values));
    return { copies, returned: run(kernels, copies) };
  });
  for (const [i, values] of expected.entries()) {
    const actual = first!.copies[i]!;
    expect(largestError(actual, values, floor), `array ${i}`).toBeLessThanOrEqual(tolerance);
    expect(isIntact(actual), `canaries of array ${i}`).toBe(true);
    expect(haveSameBits(second!.copies[i]!, actual), `array ${i}, again`).toBe(true);
  }
  const returned = [Number(first!.returned ?? 0), Number(second!.returned ?? 0)];
  expect(returned[1]).toBe(returned[0]);
  expect(largestError(returned.slice(0, 1), [Number(expectedReturn ?? 0)], floor)).toBeLessThanOrEqual(
    tolerance,
  );
}

/** The largest error relative to the value expected, or to `floor` where that is larger; NaN if any is NaN. */
export function largestError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  floor: number | ArrayLike<number>,
): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const least = typeof floor === "number" ? floor : floor[i]!;
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(Math.abs(expected[i]!), least);
    largest = Math.max(largest, error);
  }
  return largest;
}
