import { describe, expect, it } from "vitest";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../../shared/math/random.ts";
import { drawer, manners } from "../products.ts";
import { fused, productInOrder } from "./fused-oracle.ts";
import { bytesOf, claimSameBits } from "./same-bits.ts";

claimSameBits(200);

describe("the oracles of these tests", () => {
  it("fuse: differ from two roundings where the rounding tells, and agree with exact sums", () => {
    const factor = 1 + 2 ** -12;
    expect(fused(factor, factor, -1)).toBe(2 ** -11 + 2 ** -24);
    expect(Math.fround(Math.fround(factor * factor) - 1)).toBe(2 ** -11);
    // A sum whose double lies just between two floats, and a tail that tells to which side it goes.
    expect(fused(1, 1 + 2 ** -23, 2 ** -24)).toBe(1 + 2 ** -22);
    expect(fused(2 ** -40, 2 ** -40, 1 + 2 ** -23)).toBe(1 + 2 ** -23);
    expect(fused(2 ** -40, 1, Math.fround(2 ** 24 + 2))).toBe(2 ** 24 + 2);
  });

  it("know another order: plain kernels, which sum in doubles, have other bits", () => {
    const product = { shape: { rows: 8, inner: 300, columns: 8 }, options: manners[0]! };
    const { drawn } = drawer(seededRandom(35, 0));
    const [a, b, c] = [drawn(2400), drawn(2400), new Float32Array(64)];
    plainKernels().multiply(a, b, c, product.shape, product.options);
    expect(bytesOf(c).equals(bytesOf(productInOrder(product, a, b, c)))).toBe(false);
  });
});
