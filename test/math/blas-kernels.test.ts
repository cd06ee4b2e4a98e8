import { describe, expect, it } from "vitest";
import type { Blas } from "../../shared/math/blas/load.ts";
import { blasKernels } from "../../shared/math/blas-kernels.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { blas } from "../support/blas.ts";
import { drawer, fuzzedShapes, manners, productInDouble } from "./products.ts";
import { guarded, haveSameBits, isIntact, largestError } from "./side-by-side.ts";

const random = seededRandom(9, 0);
const { drawn } = drawer(random);
const shapes = fuzzedShapes(random);

/** The library, and how often it was called. */
function counted(library: Blas): { blas: Blas; calls: () => number } {
  let calls = 0;
  const sgemm = (...parameters: number[]) => {
    calls++;
    library.sgemm(...parameters);
  };
  return { blas: { ...library, sgemm }, calls: () => calls };
}

describe.skipIf(!blas)("multiply by BLAS", () => {
  it.each(manners)("agrees with the WebAssembly and the plain one for any shape: %o", (manner) => {
    const { blas: library, calls } = counted(blas!);
    const sets = [blasKernels(library), wasmKernels(), plainKernels()];
    for (const shape of shapes) {
      const { rows, inner, columns } = shape;
      const [a, b, before] = [drawn(rows * inner), drawn(inner * columns), drawn(rows * columns)];
      const { sums, sizes } = productInDouble({ shape, options: manner }, a, b, before);
      const results = sets.map((kernels) => {
        const [x, y, c] = [a, b, before].map((values) => guarded(kernels, values));
        kernels.multiply(x!, y!, c!, shape, manner);
        expect([haveSameBits(x!, a), haveSameBits(y!, b)]).toEqual([true, true]);
        expect([x!, y!, c!].map(isIntact)).toEqual([true, true, true]);
        return c!;
      });
      const claim = `${rows}x${inner}x${columns}`;
      for (const c of results) expect(largestError(c, sums, sizes), claim).toBeLessThanOrEqual(1e-6);
      // The floor is Σ|a||b|, never less than the sum: the error is relative to it.
      for (const c of results) expect(largestError(c, results[0]!, sizes), claim).toBeLessThanOrEqual(1e-5);
    }
    expect(calls()).toBe(shapes.filter(({ rows, inner, columns }) => rows * inner * columns >= 2048).length);
    expect(calls()).toBeGreaterThan(30);
  });

  it("gives the same bits in every memory and every time", () => {
    const shape = { rows: 64, inner: 256, columns: 100 };
    const [a, b] = [drawn(64 * 256), drawn(256 * 100)];
    const results = [blasKernels(blas!), blasKernels(blas!)].flatMap((kernels) => {
      const [x, y] = [guarded(kernels, a), guarded(kernels, b)];
      return [0, 1].map(() => {
        const c = kernels.allocate(64 * 100);
        kernels.multiply(x, y, c, shape);
        return c;
      });
    });
    for (const c of results) expect(haveSameBits(c, results[0]!)).toBe(true);
  });

  it("does not let through what stood in its result before, nor hide what is in its factors", () => {
    const kernels = blasKernels(blas!);
    const shape = { rows: 16, inner: 16, columns: 16 };
    const [a, b, c] = [0, 1, 2].map(() => kernels.allocate(256).fill(1));
    c!.fill(Number.NaN);
    kernels.multiply(a!, b!, c!, shape);
    expect(c!.every((value) => value === 16)).toBe(true);
    a![3] = Number.NaN;
    kernels.multiply(a!, b!, c!, shape);
    expect(c!.every((value, i) => Number.isNaN(value) === i < 16)).toBe(true);
  });

  it("refuses arrays that are too short or of another memory, as the WebAssembly does", () => {
    const kernels = blasKernels(blas!);
    const shape = { rows: 16, inner: 16, columns: 16 };
    const [a, b] = [kernels.allocate(256), kernels.allocate(256)];
    expect(() => kernels.multiply(a, b, kernels.allocate(255), shape)).toThrow("256 are asked for");
    expect(() => kernels.multiply(a, new Float32Array(256), a, shape)).toThrow("not allocated by these");
  });
});
