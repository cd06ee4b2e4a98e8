import { describe, expect, it } from "vitest";
import { DenseLayer, type DenseOptions } from "../../shared/math/dense-layer.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { centralDifferences, type DoubleLayer, distance, outputInDouble, sum } from "./double-oracle.ts";

const kernels = plainKernels();
const rows = 6;

function options(change: Partial<DenseOptions> = {}): DenseOptions {
  return {
    inputs: 4,
    outputs: 3,
    nonlinearity: "tanh",
    batchNorm: true,
    maxRows: 8,
    seed: 1,
    layer: 1,
    optimizer: { optimizer: "sgd", momentum: 0 },
    ...change,
  };
}

function drawn(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => normal(random));
}

/** Moves gamma, beta and bias off their first values, where a mistake could hide behind a 1 or a 0. */
function disturb(layer: DenseLayer): void {
  for (const [i, tensor] of Object.values(layer.tensors()).entries()) {
    drawn(tensor.length, 50 + i).forEach((x, at) => {
      tensor[at] = tensor[at]! + 0.3 * x;
    });
  }
}

function inDouble(layer: DenseLayer, { inputs, outputs, nonlinearity }: DenseOptions): DoubleLayer {
  const copies = Object.entries(layer.tensors()).map(([name, tensor]) => [name, Array.from(tensor)]);
  return { inputs, outputs, nonlinearity, weight: [], ...Object.fromEntries(copies) };
}

const kinds = (["identity", "relu", "sigmoid", "tanh"] as const).flatMap((nonlinearity) =>
  [false, true].map((batchNorm) => ({ nonlinearity, batchNorm })),
);

describe.each(kinds)("a dense layer with $nonlinearity, batch norm: $batchNorm", (kind) => {
  const setting = options(kind);
  const layer = new DenseLayer(kernels, setting);
  disturb(layer);
  const double = inDouble(layer, setting);
  const input = drawn(rows * 4, 2);
  const doubleInput = Array.from(input);
  const outputGradient = drawn(rows * 3, 3);
  /** A loss whose gradient by the output is `outputGradient`. */
  const loss = () => sum(outputInDouble(double, doubleInput, rows).map((x, i) => x * outputGradient[i]!));

  it("computes what the textbook says", () => {
    expect(distance(layer.forward(input, rows), outputInDouble(double, doubleInput, rows))).toBeLessThan(
      1e-5,
    );
  });

  it("finds the gradient of its input by differences", () => {
    layer.forward(input, rows);
    const inputGradient = layer.backward(outputGradient, rows, true)!;
    expect(distance(inputGradient, centralDifferences(loss, doubleInput))).toBeLessThan(1e-4);
  });

  it("descends by the mean gradient of each parameter", () => {
    layer.forward(input, rows);
    layer.backward(outputGradient, rows, false);
    layer.descend(1, rows, 1);
    const names = kind.batchNorm ? (["weight", "gamma", "beta"] as const) : (["weight", "bias"] as const);
    for (const name of names) {
      const before = double[name]!;
      const expected = centralDifferences(loss, before).map((gradient, i) => before[i]! - gradient / rows);
      expect(distance(layer.tensors()[name]!, expected), name).toBeLessThan(1e-5);
    }
  });
});

describe("a dense layer", () => {
  it("draws its weights from seed and layer number alone, with variance 2 / inputs", () => {
    const weights = (seed: number, layer: number) =>
      new DenseLayer(kernels, options({ inputs: 200, outputs: 100, seed, layer })).tensors().weight!;
    expect(weights(1, 2)).toEqual(weights(1, 2));
    expect(weights(1, 2)).not.toEqual(weights(2, 1));
    const variance = weights(1, 2).reduce((a, x) => a + x * x, 0) / 20_000;
    expect(Math.abs(variance - 0.01)).toBeLessThan(0.0005);
  });

  it("has no bias beside batch norm, whose beta is one", () => {
    const names = (batchNorm: boolean) =>
      Object.keys(new DenseLayer(kernels, options({ batchNorm })).tensors());
    expect(names(true)).toEqual(["weight", "gamma", "beta", "runningMean", "runningVariance"]);
    expect(names(false)).toEqual(["weight", "bias"]);
  });

  it("evaluates by running statistics, which only track moves", () => {
    const layer = new DenseLayer(kernels, options({ nonlinearity: "identity" }));
    const input = drawn(rows * 4, 2);
    const early = layer.evaluate(input, rows).slice();
    layer.forward(input, rows);
    expect(layer.evaluate(input, rows)).toEqual(early);
    for (let i = 0; i < 200; i++) layer.track(rows);
    // Statistics of this very batch by now, but for the unbiased variance: 6/5 of the batch's.
    const expected = layer.forward(input, rows).map((x) => x / Math.sqrt(6 / 5));
    expect(distance(layer.evaluate(input, rows), expected)).toBeLessThan(1e-4);
  });

  it("keeps a forward that waits for its backward through an evaluation", () => {
    const [calm, disturbed] = [0, 1].map(() => new DenseLayer(kernels, options())) as [
      DenseLayer,
      DenseLayer,
    ];
    const [input, gradient] = [drawn(rows * 4, 2), drawn(rows * 3, 3)];
    calm.forward(input, rows);
    disturbed.forward(input, rows);
    disturbed.evaluate(drawn(8 * 4, 9), 8);
    expect(disturbed.backward(gradient, rows, true)).toEqual(calm.backward(gradient, rows, true));
  });

  it("answers with exactly the rows it was given", () => {
    const layer = new DenseLayer(kernels, options());
    const [input, gradient] = [drawn(8 * 4, 2), drawn(8 * 3, 3)];
    for (const count of [8, 5]) {
      expect(layer.forward(input, count)).toHaveLength(count * 3);
      expect(layer.evaluate(input, count)).toHaveLength(count * 3);
      expect(layer.backward(gradient, count, true)).toHaveLength(count * 4);
    }
  });

  it("does not compute an input gradient nobody wants", () => {
    const layer = new DenseLayer(kernels, options());
    layer.forward(drawn(rows * 4, 2), rows);
    expect(layer.backward(drawn(rows * 3, 3), rows, false)).toBeUndefined();
  });

  it("refuses more rows than it has room for, none at all, and a backward that no forward went before", () => {
    const layer = new DenseLayer(kernels, options());
    expect(() => layer.forward(drawn(36, 2), 9)).toThrow(
      "Cannot go forward: 9 rows, this layer takes 1 to 8",
    );
    expect(() => layer.evaluate(drawn(36, 2), 0)).toThrow("Cannot go forward: 0 rows");
    expect(() => layer.backward(drawn(9, 3), 3, true)).toThrow("3 rows, the last forward had none");
    layer.forward(drawn(24, 2), 6);
    expect(() => layer.backward(drawn(9, 3), 3, true)).toThrow("3 rows, the last forward had 6");
  });

  it("allocates everything before its first batch", () => {
    let allocations = 0;
    const allocate = (length: number) => {
      allocations++;
      return kernels.allocate(length);
    };
    const counting = { ...kernels, allocate };
    const layer = new DenseLayer(counting, options({ optimizer: { optimizer: "adam", momentum: 0 } }));
    const made = allocations;
    layer.forward(drawn(24, 2), rows);
    layer.backward(drawn(18, 3), rows, true);
    layer.track(rows);
    layer.descend(0.1, rows, 1);
    layer.evaluate(drawn(24, 2), rows);
    expect(made).toBeGreaterThan(0);
    expect(allocations).toBe(made);
  });
});
