import { describe, expect, it } from "vitest";
import type { BatchNormArrays } from "../../../shared/math/kernels.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../../shared/math/random.ts";
import { centralDifferences, distance, lossInDouble, outputInDouble, range } from "../double-oracle.ts";

const kernels = plainKernels();
const random = seededRandom(20);

function drawn(length: number): Float32Array {
  return kernels.allocate(length).map(() => normal(random));
}

describe("multiply", () => {
  const shapes = [
    { rows: 1, inner: 1, columns: 1 },
    { rows: 4, inner: 3, columns: 2 },
    { rows: 7, inner: 5, columns: 9 },
    { rows: 10, inner: 16, columns: 3 },
    { rows: 3, inner: 0, columns: 2 },
  ];
  const cases = shapes.flatMap((shape) =>
    range(8).map((bits) => ({
      shape,
      transposeA: (bits & 1) > 0,
      transposeB: (bits & 2) > 0,
      accumulate: (bits & 4) > 0,
    })),
  );

  it.each(cases)("is the sum of products: %o", ({ shape, ...options }) => {
    const { rows, inner, columns } = shape;
    const [a, b, c] = [drawn(rows * inner), drawn(inner * columns), drawn(rows * columns)];
    const before = Array.from(c);
    kernels.multiply(a, b, c, shape, options);
    const expected = range(rows * columns).map((i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const products = range(inner).map((k) => {
        const x = options.transposeA ? a[k * rows + row]! : a[row * inner + k]!;
        const y = options.transposeB ? b[column * inner + k]! : b[k * columns + column]!;
        return x * y;
      });
      return products.reduce((total, x) => total + x, options.accumulate ? before[i]! : 0);
    });
    expect(distance(c, expected)).toBeLessThan(1e-6);
  });

  it("gives a row the same bits whatever rows stand beside it", () => {
    const [a, b] = [drawn(7 * 33), drawn(33 * 5)];
    const together = kernels.allocate(7 * 5);
    kernels.multiply(a, b, together, { rows: 7, inner: 33, columns: 5 });
    for (const row of range(7)) {
      const alone = kernels.allocate(5);
      kernels.multiply(a.subarray(row * 33, row * 33 + 33), b, alone, { rows: 1, inner: 33, columns: 5 });
      expect(alone).toEqual(together.slice(row * 5, row * 5 + 5));
    }
  });

  it("does not let through what stood in its result before", () => {
    const c = kernels.allocate(8).fill(Number.NaN);
    kernels.multiply(drawn(8), drawn(4), c, { rows: 4, inner: 2, columns: 2 });
    expect(c.every(Number.isFinite)).toBe(true);
  });
});

describe("elementwise", () => {
  it("adds a bias to every row, and sums the rows", () => {
    const matrix = Float32Array.of(1, 2, 3, 4, 5, 6);
    kernels.addBias(matrix, Float32Array.of(10, 20, 30), 2, 3);
    expect(Array.from(matrix)).toEqual([11, 22, 33, 14, 25, 36]);
    const sums = kernels.allocate(3);
    kernels.sumRows(matrix, sums, 2, 3);
    expect(Array.from(sums)).toEqual([25, 47, 69]);
  });

  it("subtracts into one of its own operands", () => {
    const a = Float32Array.of(5, 7, 9);
    kernels.subtract(a, Float32Array.of(1, 2, 3), a, 2);
    expect(Array.from(a)).toEqual([4, 5, 9]);
  });

  it.each(["identity", "relu", "sigmoid", "tanh"] as const)(
    "%s and its slope agree with the textbook",
    (f) => {
      const input = drawn(50);
      const value = (x: number) =>
        outputInDouble({ inputs: 1, outputs: 1, nonlinearity: f, weight: [1] }, [x], 1)[0]!;
      const output = kernels.allocate(50);
      kernels.activate(f, input, output, 50);
      expect(distance(output, Array.from(input, value))).toBeLessThan(1e-6);
      const upstream = drawn(50);
      const gradient = kernels.allocate(50);
      kernels.activateBackward(f, output, upstream, gradient, 50);
      const slopes = Array.from(input, (x) => (value(x + 1e-5) - value(x - 1e-5)) / 2e-5);
      expect(
        distance(
          gradient,
          slopes.map((slope, i) => slope * upstream[i]!),
        ),
      ).toBeLessThan(1e-5);
    },
  );

  it("saturates without a NaN, and hides none", () => {
    const input = Float32Array.of(-1e4, 1e4, Number.NaN);
    for (const f of ["relu", "sigmoid", "tanh"] as const) {
      const output = kernels.allocate(3);
      kernels.activate(f, input, output, 3);
      expect([Number.isFinite(output[0]), Number.isFinite(output[1]), output[2]]).toEqual([
        true,
        true,
        Number.NaN,
      ]);
    }
  });

  it("sums products in double precision, within the length and no further", () => {
    const a = Float32Array.of(2 ** 24, 1, -(2 ** 24), 100);
    expect(kernels.dot(a, Float32Array.of(1, 1, 1, 100), 3)).toBe(1);
    expect(kernels.dot(a, a, 0)).toBe(0);
  });

  it("finds what is too large or not a number, within the length and no further", () => {
    const within = (values: number[], length = values.length) =>
      kernels.isWithin(Float32Array.from(values), length, 100);
    expect(within([100, -100, 0])).toBe(true);
    expect(within([0, 100.5])).toBe(false);
    expect(within([0, -100.5])).toBe(false);
    expect(within([0, Number.NaN])).toBe(false);
    expect(within([0, Number.NEGATIVE_INFINITY])).toBe(false);
    expect(within([0, Number.NaN], 1)).toBe(true);
  });
});

describe("batch norm", () => {
  const [rows, columns] = [9, 4];

  function normOf(): BatchNormArrays {
    const zeros = () => kernels.allocate(columns);
    return {
      columns,
      epsilon: 1e-5,
      gamma: drawn(columns),
      beta: drawn(columns),
      gammaGradient: zeros(),
      betaGradient: zeros(),
      runningMean: zeros(),
      runningVariance: zeros().fill(1),
      batchMean: zeros(),
      batchVariance: zeros(),
      normalised: kernels.allocate(rows * columns),
    };
  }

  it("gives every column the mean beta and the deviation gamma", () => {
    const [norm, output] = [normOf(), kernels.allocate(rows * columns)];
    kernels.batchNormForward(norm, drawn(rows * columns), output, rows);
    for (const column of range(columns)) {
      const values = range(rows).map((row) => output[row * columns + column]!);
      const mean = values.reduce((a, b) => a + b) / rows;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / rows;
      expect(mean).toBeCloseTo(norm.beta[column]!, 5);
      expect(Math.sqrt(variance)).toBeCloseTo(Math.abs(norm.gamma[column]!), 4);
    }
  });

  it("tracks the mean and the unbiased variance of the batches", () => {
    const norm = normOf();
    const column = [1, 2, 6];
    kernels.batchNormForward(
      norm,
      Float32Array.from(column.flatMap((x) => [x, 0, 0, 0])),
      kernels.allocate(12),
      3,
    );
    kernels.batchNormTrack(norm, 0.1, 3);
    // Mean 3; squares (4 + 1 + 9) / 2 = 7.
    expect(norm.runningMean[0]).toBeCloseTo(0.3, 6);
    expect(norm.runningVariance[0]).toBeCloseTo(0.9 + 0.7, 6);
  });

  it("evaluates with the running statistics alone", () => {
    const norm = normOf();
    norm.runningMean.fill(2);
    norm.runningVariance.fill(4);
    const output = kernels.allocate(columns);
    kernels.batchNormEvaluate(norm, Float32Array.of(4, 4, 4, 4), output, 1);
    expect(
      distance(
        output,
        Array.from(norm.gamma, (gamma, i) => gamma + norm.beta[i]!),
      ),
    ).toBeLessThan(1e-5);
  });

  it("survives a batch of one", () => {
    const norm = normOf();
    const output = kernels.allocate(columns);
    kernels.batchNormForward(norm, drawn(columns), output, 1);
    kernels.batchNormTrack(norm, 0.1, 1);
    expect(distance(output, norm.beta)).toBeLessThan(1e-6);
    expect(norm.runningVariance.every(Number.isFinite)).toBe(true);
  });
});

describe("losses", () => {
  const [rows, columns] = [6, 3];

  it.each(["softmax-cross-entropy", "sigmoid-cross-entropy", "mean-squared-error"] as const)(
    "%s agrees with the textbook, and its gradient with differences",
    (loss) => {
      const logits = drawn(rows * columns);
      const labels = kernels.allocate(rows * columns);
      for (const row of range(rows)) labels[row * columns + (row % columns)] = 1;
      const gradient = kernels.allocate(rows * columns);
      const sum = kernels.lossAndGradient(loss, logits, labels, gradient, rows, columns);
      const doubles = Array.from(logits);
      const lossOf = () => lossInDouble(loss, doubles, Array.from(labels), columns);
      expect(sum).toBeCloseTo(lossOf(), 4);
      expect(distance(gradient, centralDifferences(lossOf, doubles))).toBeLessThan(1e-5);
    },
  );

  it.each(["softmax-cross-entropy", "sigmoid-cross-entropy"] as const)(
    "%s is finite for huge logits",
    (loss) => {
      const gradient = kernels.allocate(2);
      const sum = kernels.lossAndGradient(
        loss,
        Float32Array.of(1e4, -1e4),
        Float32Array.of(0, 1),
        gradient,
        1,
        2,
      );
      expect(sum).toBeCloseTo(2e4, 0);
      expect(Array.from(gradient)).toEqual([1, -1]);
    },
  );
});
