import { describe, expect, it } from "vitest";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { relaxedKernels, wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { drawer, fuzzedShapes, manners, productInDouble } from "./products.ts";
import { guarded, haveSameBits, isIntact, largestError } from "./side-by-side.ts";

const random = seededRandom(12, 0);
const { drawn } = drawer(random);
const shapes = fuzzedShapes(random);

describe("multiply with relaxed SIMD", () => {
  it.each(manners)("agrees with the deterministic and the plain one for any shape: %o", (manner) => {
    const sets = [relaxedKernels(), wasmKernels(), plainKernels()];
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
  });
});
