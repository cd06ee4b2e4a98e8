import { describe, expect, it } from "vitest";
import type { BatchNormArrays, Kernels } from "../../shared/math/kernels.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "./double-oracle.ts";
import { fuzzedShapes, manners, productInDouble } from "./products.ts";
import { bitsOf, expectAgreement, guarded, haveSameBits, isIntact, largestError } from "./side-by-side.ts";
import { drawn, lengths, nonlinearities, random, shapes, sides } from "./wasm-sides.ts";

const productShapes = fuzzedShapes(random);

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

describe("multiply", () => {
  it.each(manners)("is the sum of products for any shape: %o", (options) => {
    const kernels = wasmKernels();
    for (const shape of productShapes) {
      const { rows, inner, columns } = shape;
      const [a, b, before] = [drawn(rows * inner), drawn(inner * columns), drawn(rows * columns)];
      const [x, y] = [guarded(kernels, a), guarded(kernels, b)];
      const [c, again] = [guarded(kernels, before), guarded(kernels, before)];
      kernels.multiply(x, y, c, shape, options);
      kernels.multiply(x, y, again, shape, options);
      const { sums, sizes } = productInDouble({ shape, options }, a, b, before);
      const claim = `${rows}x${inner}x${columns}`;
      // The floor is Σ|a||b|, never less than the sum: the error is relative to it.
      expect(largestError(c, sums, sizes), claim).toBeLessThanOrEqual(1e-6);
      expect([x, y, c].map(isIntact), claim).toEqual([true, true, true]);
      const sameBits = [haveSameBits(x, a), haveSameBits(y, b), haveSameBits(again, c)];
      expect(sameBits, claim).toEqual([true, true, true]);
    }
  });

  it("agrees with the plain kernels", () => {
    for (const shape of productShapes.slice(0, 20)) {
      const { rows, inner, columns } = shape;
      expectAgreement(
        sides,
        [drawn(rows * inner), drawn(inner * columns), drawn(rows * columns)],
        (kernels, [a, b, c]) => {
          kernels.multiply(a!, b!, c!, shape);
          return undefined;
        },
        { floor: Math.sqrt(inner) },
      );
    }
  });

  it("gives the same bits whichever way the operands lie", () => {
    const kernels = sides.subject;
    const shape = { rows: 39, inner: 300, columns: 21 };
    const [a, b] = [drawn(39 * 300), drawn(300 * 21)];
    const results = manners.slice(0, 4).map((options) => {
      const c = kernels.allocate(39 * 21);
      const x = guarded(kernels, options.transposeA ? transposed(a, 39, 300) : a);
      const y = guarded(kernels, options.transposeB ? transposed(b, 300, 21) : b);
      kernels.multiply(x, y, c, shape, options);
      return c;
    });
    for (const c of results) expect(haveSameBits(c, results[0]!)).toBe(true);
  });

  it("gives a row the same bits whatever rows stand beside it", () => {
    const kernels = sides.subject;
    const [a, b] = [guarded(kernels, drawn(39 * 300)), guarded(kernels, drawn(300 * 21))];
    const together = kernels.allocate(39 * 21);
    kernels.multiply(a, b, together, { rows: 39, inner: 300, columns: 21 });
    for (const row of range(39)) {
      const alone = kernels.allocate(21);
      kernels.multiply(a.subarray(row * 300), b, alone, { rows: 1, inner: 300, columns: 21 });
      expect(bitsOf(alone)).toEqual(bitsOf(together.subarray(row * 21, row * 21 + 21)));
    }
  });

  it("of an empty inner dimension is zero, or changes nothing", () => {
    const [a, b, c] = [0, 0, 6].map((length) => sides.subject.allocate(length).fill(5));
    sides.subject.multiply(a!, b!, c!, { rows: 2, inner: 0, columns: 3 }, { accumulate: true });
    expect(Array.from(c!)).toEqual([5, 5, 5, 5, 5, 5]);
    sides.subject.multiply(a!, b!, c!, { rows: 2, inner: 0, columns: 3 });
    expect(Array.from(c!)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("does not let through what stood in its result before, nor hide what is in its factors", () => {
    const [a, b, c] = [8, 12, 6].map((length) => sides.subject.allocate(length).fill(1));
    c!.fill(Number.NaN);
    sides.subject.multiply(a!, b!, c!, { rows: 2, inner: 4, columns: 3 });
    expect(Array.from(c!)).toEqual([4, 4, 4, 4, 4, 4]);
    a![3] = Number.NaN;
    sides.subject.multiply(a!, b!, c!, { rows: 2, inner: 4, columns: 3 });
    expect(Array.from(c!)).toEqual([Number.NaN, Number.NaN, Number.NaN, 4, 4, 4]);
  });
});

describe("elementwise", () => {
  it("adds a bias and sums the rows of any shape", () => {
    for (const { rows, columns } of [...shapes, { rows: 203, columns: 67 }, { rows: 0, columns: 5 }]) {
      const arrays = [drawn(rows * columns), drawn(columns), drawn(columns)];
      expectAgreement(
        sides,
        arrays,
        (kernels, [matrix, bias, sums]) => {
          kernels.addBias(matrix!, bias!, rows, columns);
          kernels.sumRows(matrix!, sums!, rows, columns);
          return undefined;
        },
        { floor: 1 },
      );
    }
  });

  it("subtracts, into one of its own operands too", () => {
    for (const length of lengths) {
      expectAgreement(sides, [drawn(length), drawn(length), drawn(length)], (kernels, [a, b, difference]) => {
        kernels.subtract(a!, b!, difference!, length);
        kernels.subtract(a!, b!, a!, length);
        return undefined;
      });
    }
  });

  it.each(nonlinearities)("%s and its gradient agree with the plain ones, in place too", (f) => {
    for (const length of lengths) {
      // The output is itself an input of backward, so that a difference in forward does not count twice.
      const arrays = [drawn(length), drawn(length), drawn(length), drawn(length), drawn(length)];
      expectAgreement(sides, arrays, (kernels, [input, output, given, gradient, inputGradient]) => {
        kernels.activate(f, input!, output!, length);
        kernels.activate(f, input!, input!, length);
        kernels.activateBackward(f, given!, gradient!, inputGradient!, length);
        kernels.activateBackward(f, given!, gradient!, gradient!, length);
        return undefined;
      });
    }
  });

  it.each([
    ["sigmoid", (x: number) => 1 / (1 + Math.exp(-x))],
    ["tanh", Math.tanh],
  ] as const)("%s is right to 3e-7 of its value between −80 and 80", (f, exact) => {
    const input = sides.subject.allocate(40_001);
    for (let i = 0; i < input.length; i++) input[i] = ((i - 20_000) / 20_000) ** 3 * 80;
    const output = sides.subject.allocate(input.length);
    sides.subject.activate(f, input, output, input.length);
    expect(largestError(output, Array.from(input, exact), 1e-37)).toBeLessThan(3e-7);
  });

  it("saturates without a NaN, and hides none in any lane", () => {
    for (const f of ["relu", "sigmoid", "tanh"] as const) {
      const edges = guarded(sides.subject, Float32Array.of(-1e4, 1e4, -1e38));
      sides.subject.activate(f, edges, edges, 3);
      expect(edges.every(Number.isFinite)).toBe(true);
      for (const position of range(7)) {
        const values = guarded(sides.subject, drawn(7));
        // A NaN with low bits set, which an exp that works on bits could turn into a number.
        bitsOf(values)[position] = 0x7fc00155;
        sides.subject.activate(f, values, values, 7);
        expect(range(7).filter((i) => Number.isNaN(values[i]))).toEqual([position]);
      }
    }
  });

  it("sum products alike at every length", () => {
    for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 1000]) {
      const arrays = [drawn(length), drawn(length)];
      expectAgreement(sides, arrays, (kernels, [a, b]) => kernels.dot(a!, b!, length), { floor: 1e-3 });
    }
  });

  it("compare a guess with its target as single sums do", () => {
    const kernels = sides.subject;
    for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 1000]) {
      const [s, t, d] = [drawn(length), drawn(length), drawn(length)].map((x) => guarded(kernels, x));
      const { squaredError, squaredTarget, squaredGuess, product } = kernels.compare(s!, t!, d!, length);
      const sums = [
        [d!, d!],
        [t!, t!],
        [s!, s!],
        [s!, t!],
      ].map(([a, b]) => kernels.dot(a!, b!, length));
      expect([squaredError, squaredTarget, squaredGuess, product]).toEqual(sums);
      expect(Array.from(d!)).toEqual(Array.from(s!, (x, i) => Math.fround(x - t![i]!)));
      kernels.scale(d!, 0.5, length);
      expect(Array.from(d!)).toEqual(Array.from(s!, (x, i) => Math.fround(x - t![i]!) / 2));
      expect([s!, t!, d!].map(isIntact)).toEqual([true, true, true]);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 100.5, -100.5])(
    "finds %d wherever it stands, and nothing behind the end",
    (poison) => {
      for (const length of [1, 2, 3, 5, 7, 9, 31]) {
        for (const position of range(length)) {
          const values = guarded(sides.subject, drawn(length));
          expect(sides.subject.isWithin(values, length, 100)).toBe(true);
          values[position] = poison;
          expect(sides.subject.isWithin(values, length, 100)).toBe(false);
          expect(sides.subject.isWithin(values, position, 100)).toBe(true);
        }
      }
    },
  );

  it("allows exactly the limit, and no infinity whatever the limit", () => {
    const largest = guarded(sides.subject, Float32Array.of(0.1, -100));
    const isWithin = (limit: number, length = 2) => sides.subject.isWithin(largest, length, limit);
    expect([isWithin(100), isWithin(99.9999)]).toEqual([true, false]);
    // The float nearest to 0.1 is a little more than 0.1.
    expect([isWithin(0.1, 1), isWithin(Math.fround(0.1), 1)]).toEqual([false, true]);
    largest[0] = Number.POSITIVE_INFINITY;
    expect([isWithin(Number.POSITIVE_INFINITY), isWithin(Number.MAX_VALUE)]).toEqual([false, false]);
    largest[0] = 3.4028234663852886e38;
    expect(isWithin(Number.POSITIVE_INFINITY)).toBe(true);
    expect([isWithin(Number.NaN), isWithin(-1), isWithin(Number.NaN, 0)]).toEqual([false, false, true]);
  });
});

describe("batch norm", () => {
  const names = [
    "gamma",
    "beta",
    "gammaGradient",
    "betaGradient",
    "runningMean",
    "runningVariance",
    "batchMean",
    "batchVariance",
    "normalised",
  ] as const;

  function normOf(columns: number, arrays: readonly Float32Array[]): BatchNormArrays {
    const named = Object.fromEntries(names.map((name, i) => [name, arrays[i]!]));
    return { ...(named as unknown as BatchNormArrays), columns, epsilon: 1e-5 };
  }

  function arraysFor(rows: number, columns: number): Float32Array[] {
    const arrays = names.map((name) => drawn(name === "normalised" ? rows * columns : columns));
    arrays[names.indexOf("runningVariance")] = drawn(columns).map((x) => 0.5 + Math.abs(x));
    // Far from zero, where a variance by Σx² − (Σx)² would have lost its digits.
    return [...arrays, drawn(rows * columns).map((x) => x + 10), drawn(rows * columns)];
  }

  function everyKernel(kernels: Kernels, arrays: Float32Array[], rows: number, columns: number): undefined {
    const norm = normOf(columns, arrays);
    const [input, output] = arrays.slice(names.length);
    kernels.batchNormForward(norm, input!, output!, rows);
    kernels.batchNormTrack(norm, 0.1, rows);
    kernels.batchNormBackward(norm, output!, output!, rows);
    kernels.batchNormEvaluate(norm, input!, input!, rows);
  }

  it("agrees with the plain one in statistics, output and gradients, for any shape", () => {
    // 1030 columns are more than the kernels treat at a time.
    const more = [
      { rows: 64, columns: 33 },
      { rows: 5, columns: 1030 },
      { rows: 1, columns: 6 },
    ];
    for (const { rows, columns } of [...shapes, ...more]) {
      expectAgreement(
        sides,
        arraysFor(rows, columns),
        (kernels, arrays) => everyKernel(kernels, arrays, rows, columns),
        // With a row alone the normalised input is rounding noise over √ε.
        { floor: 1, tolerance: rows === 1 ? 1e-2 : 1e-4 },
      );
    }
  });

  it("leaves columns with mean beta and deviation gamma", () => {
    const kernels = sides.subject;
    const [rows, columns] = [300, 7];
    const arrays = arraysFor(rows, columns).map((values) => guarded(kernels, values));
    const norm = normOf(columns, arrays);
    const output = arrays.at(-1)!;
    kernels.batchNormForward(norm, arrays.at(-2)!, output, rows);
    for (const column of range(columns)) {
      const values = range(rows).map((row) => output[row * columns + column]!);
      const mean = values.reduce((total, x) => total + x, 0) / rows;
      const variance = values.reduce((total, x) => total + (x - mean) ** 2, 0) / rows;
      expect(mean).toBeCloseTo(norm.beta[column]!, 4);
      expect(Math.sqrt(variance)).toBeCloseTo(Math.abs(norm.gamma[column]!), 4);
    }
  });
});
