import { describe, expect, it } from "vitest";
import type { Kernels } from "../../../shared/math/kernels.ts";
import { loadLibrary } from "../../../shared/math/native/library.ts";
import { nativeKernels } from "../../../shared/math/native-kernels.ts";
import { seededRandom } from "../../../shared/math/random.ts";
import { fusesProducts, relaxedKernels, wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { drawer, manners, type Product, productInDouble } from "../products.ts";
import { guarded, isIntact, largestError } from "../side-by-side.ts";
import { type Case, casesOf } from "./every-kernel.ts";
import { productInOrder } from "./fused-oracle.ts";

const library = loadLibrary(process);
const natives = library.paths.map((path) => ({ path, make: () => nativeKernels(library, path) }));
/** Every path that this processor runs, and the fallback where it has the same bits. */
const paths: readonly { path: string; make: () => Kernels }[] = [
  ...natives,
  ...(fusesProducts(relaxedKernels()) ? [{ path: "wasm-relaxed", make: () => relaxedKernels() }] : []),
];

/** What every path promises of `shapes` random shapes; declares the tests. */
export function claimSameBits(shapes: number): void {
  describe(`products by ${paths.map(({ path }) => path).join(", ")}`, () => {
    it(`of ${shapes} shapes have the bits of the definition, are within 1e-6 of doubles, and are written nowhere else`, () => {
      const random = seededRandom(31, 0);
      for (let done = 0; done < shapes; done += 100) {
        const sets = paths.map(({ make }) => make());
        for (let number = done; number < done + 100; number++) {
          const product = { shape: shapeOf(random, number), options: manners[number % manners.length]! };
          expectProduct(sets, product, random, number % 16 === 15);
        }
      }
    });

    it("of NaN, infinities and denormals have the bits of the definition", () => {
      const random = seededRandom(32, 0);
      const sets = paths.map(({ make }) => make());
      for (let number = 0; number < shapes / 10; number++) {
        expectProduct(sets, { shape: shapeOf(random, 1), options: manners[number % 8]! }, random, true);
      }
    });

    it.each([
      { rows: 0, inner: 3, columns: 4 },
      { rows: 3, inner: 0, columns: 4 },
      { rows: 3, inner: 4, columns: 0 },
    ])("of nothing are zeros, or what was there: %o", (shape) => {
      const sets = paths.map(({ make }) => make());
      for (const options of manners) expectProduct(sets, { shape, options }, seededRandom(33, 0), false);
    });

    it.each([
      { rows: 120, inner: 320, columns: 72 },
      { rows: 50, inner: 576, columns: 512 },
    ])("whose last steps go with the block before have the bits of the definition: %o", (shape) => {
      for (const options of manners) {
        // New ones, so that a lies behind the scratch: who writes past its end is seen.
        const sets = paths.map(({ make }) => make());
        expectProduct(sets, { shape, options }, seededRandom(35, 0), false);
      }
    });
  });

  describe(`every other kernel by ${natives.map(({ path }) => path).join(", ")}`, () => {
    it(`has the bits of the WebAssembly, and writes nowhere else: ${shapes} shapes`, () => {
      const random = seededRandom(34, 0);
      const { whole } = drawer(random);
      for (let done = 0; done < shapes; done += 100) {
        const wasm = wasmKernels();
        const sets = natives.map(({ make }) => make());
        for (let number = done; number < done + 100; number++) {
          const rows = whole(20);
          const columns = number % 4 === 0 ? whole(300) : whole(40);
          for (const each of casesOf(random, rows, columns, number % 3 === 0))
            expectSame(sets, wasm, each, rows);
        }
      }
    });
  });
}

function expectProduct(
  sets: readonly Kernels[],
  product: Product,
  random: () => number,
  strange: boolean,
): void {
  const { rows, inner, columns } = product.shape;
  const { drawn, whole } = drawer(random);
  const [a, b, before] = [drawn(rows * inner), drawn(inner * columns), drawn(rows * columns)];
  if (strange) {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, -0, 0, 1e-40, -1e-45, 1e-20, 3e38, -3e38];
    for (const values of [a, b, before])
      for (let i = 0; i < 3 && values.length > 0; i++) values[whole(values.length)] = odd[whole(odd.length)]!;
  }
  const expected = productInOrder(product, a, b, before);
  for (const [i, kernels] of sets.entries()) {
    const [x, y, c] = [a, b, before].map((values) => guarded(kernels, values));
    kernels.multiply(x!, y!, c!, product.shape, product.options);
    const claim = `${paths[i]!.path} ${rows}x${inner}x${columns} ${JSON.stringify(product.options)}`;
    expect(bytesOf(c!).equals(bytesOf(expected)), claim).toBe(true);
    expect([x!, y!, c!].map(isIntact), claim).toEqual([true, true, true]);
    expect([bytesOf(x!).equals(bytesOf(a)), bytesOf(y!).equals(bytesOf(b))], claim).toEqual([true, true]);
  }
  if (strange) return;
  const { sums, sizes } = productInDouble(product, a, b, before);
  const claim = `${rows}x${inner}x${columns} in doubles`;
  expect(
    largestError(
      expected,
      sums,
      sizes.map((size) => size || 1),
    ),
    claim,
  ).toBeLessThanOrEqual(1e-6);
}

/** Mostly small; now and then one that crosses the blocks of one dimension and leaves a rest. */
function shapeOf(random: () => number, number: number): Product["shape"] {
  const { whole } = drawer(random);
  const [rows, inner, columns] = [1 + whole(40), 1 + whole(40), 1 + whole(70)];
  switch (number % 50) {
    case 10:
      return { rows: 1 + whole(400), inner: 1 + whole(20), columns: 1 + whole(20) };
    case 20:
      return { rows: 1 + whole(20), inner: 200 + whole(700), columns: 1 + whole(20) };
    case 30:
      return { rows: 1 + whole(8), inner: 1 + whole(20), columns: 1 + whole(1100) };
    case 40:
      return { rows: 50 + whole(20), inner: 512, columns: 65 + whole(10) };
    default:
      return { rows, inner, columns };
  }
}

function expectSame(sets: readonly Kernels[], oracle: Kernels, each: Case, rows: number): void {
  const expected = outcome(oracle, each);
  for (const [i, kernels] of sets.entries()) {
    const found = outcome(kernels, each);
    const claim = `${natives[i]!.path}: ${each.name} with ${rows} rows and arrays of ${each.floats.map((array) => array.length)}`;
    expect(found.after.equals(expected.after), claim).toBe(true);
    expect(found.returned, claim).toEqual(expected.returned);
    expect(found.isIntact, claim).toBe(true);
  }
}

/** Every array after the call, what was returned, and whether all canaries live. */
function outcome(kernels: Kernels, { floats, bytes, run }: Case) {
  const copies = floats.map((values) => guarded(kernels, values));
  const own = kernels.allocateBytes(bytes?.length ?? 0);
  if (bytes) own.set(bytes);
  const returned = run(kernels, copies, own);
  return { after: Buffer.concat([...copies.map(bytesOf), own]), returned, isIntact: copies.every(isIntact) };
}

/** Of the same NaN, whatever bits it has: they differ between processors, and say nothing. */
export function bytesOf(values: Float32Array): Buffer {
  const copy = values.slice();
  for (let i = 0; i < copy.length; i++) if (Number.isNaN(copy[i])) copy[i] = Number.NaN;
  return Buffer.from(copy.buffer);
}
