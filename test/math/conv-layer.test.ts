import { describe, expect, it } from "vitest";
import { ConvLayer, type ConvOptions } from "../../shared/math/conv-layer.ts";
import { patchesOf } from "../../shared/math/patches.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { centralDifferences, distance, range, sum } from "./double-oracle.ts";

const kernels = plainKernels();
const rows = 3;
const shape = { height: 5, width: 4, channels: 2, kernel: 3, stride: 2, padding: 1 };
const channels = 3;
const inputs = 5 * 4 * 2;
const outputs = 3 * 2 * channels;

function options(change: Partial<ConvOptions> = {}): ConvOptions {
  return {
    shape,
    channels,
    nonlinearity: "tanh",
    batchNorm: true,
    maxRows: 4,
    seed: [1, 1],
    optimizer: { optimizer: "sgd", momentum: 0 },
    ...change,
  };
}

function drawn(length: number, seed: number, of = kernels): Float32Array {
  const random = seededRandom(seed);
  const array = of.allocate(length);
  for (let i = 0; i < length; i++) array[i] = normal(random);
  return array;
}

/** Moves every tensor off its first values, where a mistake could hide behind a 1 or a 0. */
function disturb(layer: ConvLayer): void {
  for (const [i, tensor] of Object.values(layer.tensors()).entries()) {
    drawn(tensor.length, 50 + i).forEach((x, at) => {
      tensor[at] = tensor[at]! + 0.3 * x;
    });
  }
}

type Doubles = Record<"weight" | "bias" | "gamma" | "beta", number[]>;

function inDouble(layer: ConvLayer): Doubles {
  const copies = Object.entries(layer.tensors()).map(([name, tensor]) => [name, Array.from(tensor)]);
  return Object.fromEntries(copies) as Doubles;
}

const functions = { identity: (x: number) => x, relu: (x: number) => Math.max(0, x), tanh: Math.tanh };

/** The textbook's sums, with no product and no patches. */
function convolved(layer: Doubles, input: number[], nonlinearity: keyof typeof functions): number[] {
  const affine = range(rows * outputs).map((i) => {
    const [channel, across, down] = [i % channels, Math.floor(i / channels) % 2, Math.floor(i / 6) % 3];
    const image = Math.floor(i / outputs) * inputs;
    let total = layer.bias?.[channel] ?? 0;
    for (const ky of range(3))
      for (const kx of range(3))
        for (const c of range(2)) {
          const [y, x] = [down * 2 - 1 + ky, across * 2 - 1 + kx];
          if (y < 0 || y >= 5 || x < 0 || x >= 4) continue;
          const weight = layer.weight[((ky * 3 + kx) * 2 + c) * channels + channel]!;
          total += input[image + (y * 4 + x) * 2 + c]! * weight;
        }
    return total;
  });
  const normed = layer.gamma ? affine.map((x, i) => norm(affine, x, i % channels, layer)) : affine;
  return normed.map(functions[nonlinearity]);
}

function norm(all: number[], x: number, channel: number, { gamma, beta }: Doubles): number {
  const values = all.filter((_, i) => i % channels === channel);
  const mean = sum(values) / values.length;
  const variance = sum(values.map((value) => (value - mean) ** 2)) / values.length;
  return (gamma[channel]! * (x - mean)) / Math.sqrt(variance + 1e-5) + beta[channel]!;
}

const kinds = (["identity", "relu", "tanh"] as const).flatMap((nonlinearity) =>
  [false, true].map((batchNorm) => ({ nonlinearity, batchNorm })),
);

describe.each(kinds)("a conv layer with $nonlinearity, batch norm: $batchNorm", (kind) => {
  const layer = new ConvLayer(kernels, options(kind));
  disturb(layer);
  const double = inDouble(layer);
  const input = drawn(rows * inputs, 2);
  const doubleInput = Array.from(input);
  const outputGradient = drawn(rows * outputs, 3);
  const output = () => convolved(double, doubleInput, kind.nonlinearity);
  /** A loss whose gradient by the output is `outputGradient`. */
  const loss = () => sum(output().map((x, i) => x * outputGradient[i]!));

  it("computes what the textbook says", () => {
    expect(distance(layer.forward(input, rows), output())).toBeLessThan(1e-5);
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
      const before = double[name];
      const expected = centralDifferences(loss, before).map((gradient, i) => before[i]! - gradient / rows);
      expect(distance(layer.tensors()[name]!, expected), name).toBeLessThan(1e-5);
    }
  });
});

describe("a conv layer", () => {
  it("computes the same by WebAssembly, also where a batch is cut into groups", () => {
    const large = { height: 28, width: 27, channels: 6, kernel: 5, stride: 1, padding: 2 };
    expect(patchesOf(large).places * patchesOf(large).length).toBeGreaterThan(64 * 1024);
    const adam = { optimizer: "adam", momentum: 0 } as const;
    const [ours, theirs] = [wasmKernels(), plainKernels()].map((of) => {
      const layer = new ConvLayer(of, options({ shape: large, channels: 8, optimizer: adam }));
      const output = layer.forward(drawn(4 * 28 * 27 * 6, 5, of), 4).slice();
      const inputGradient = layer.backward(drawn(4 * 28 * 27 * 8, 6, of), 4, true)!.slice();
      layer.descend(0.01, 4, 1);
      return { output, inputGradient, weight: layer.tensors().weight! };
    });
    expect(distance(ours!.output, theirs!.output)).toBeLessThan(1e-4);
    expect(distance(ours!.inputGradient, theirs!.inputGradient)).toBeLessThan(1e-3);
    expect(distance(ours!.weight, theirs!.weight)).toBeLessThan(1e-4);
  });

  it("draws its weights from its seed alone, with variance 2 / floats of a patch; without a seed they are zero", () => {
    const weights = (...seed: number[]) =>
      new ConvLayer(kernels, options({ channels: 500, seed })).tensors().weight!;
    expect(weights(1, 2)).toEqual(weights(1, 2));
    expect(weights(1, 2)).not.toEqual(weights(2, 1));
    const variance = weights(1, 2).reduce((a, x) => a + x * x, 0) / 9000;
    expect(Math.abs(variance - 2 / 18)).toBeLessThan(0.01);
    const zero = new ConvLayer(kernels, options({ seed: undefined })).tensors().weight!;
    expect(zero.every((x) => x === 0)).toBe(true);
  });

  it("evaluates by running statistics of each channel, which only track moves", () => {
    const layer = new ConvLayer(kernels, options({ nonlinearity: "identity" }));
    const input = drawn(rows * inputs, 2);
    const early = layer.evaluate(input, rows).slice();
    layer.forward(input, rows);
    expect(layer.evaluate(input, rows)).toEqual(early);
    for (let i = 0; i < 200; i++) layer.track(rows);
    expect(layer.tensors().runningMean).toHaveLength(channels);
    // Statistics of this very batch by now, but for the unbiased variance: of 18 places, 18/17 of the batch's.
    const expected = layer.forward(input, rows).map((x) => x / Math.sqrt(18 / 17));
    expect(distance(layer.evaluate(input, rows), expected)).toBeLessThan(1e-4);
  });

  it("keeps a forward that waits for its backward through an evaluation", () => {
    const [calm, disturbed] = [0, 1].map(() => new ConvLayer(kernels, options())) as [ConvLayer, ConvLayer];
    const [input, gradient] = [drawn(rows * inputs, 2), drawn(rows * outputs, 3)];
    calm.forward(input, rows);
    disturbed.forward(input, rows);
    disturbed.evaluate(drawn(4 * inputs, 9), 4);
    expect(disturbed.backward(gradient, rows, true)).toEqual(calm.backward(gradient, rows, true));
    calm.descend(0.1, rows, 1);
    disturbed.descend(0.1, rows, 1);
    expect(disturbed.tensors()).toEqual(calm.tensors());
  });

  it("answers with exactly the rows it was given", () => {
    const layer = new ConvLayer(kernels, options());
    for (const count of [4, 2]) {
      expect(layer.forward(drawn(4 * inputs, 2), count)).toHaveLength(count * outputs);
      expect(layer.evaluate(drawn(4 * inputs, 2), count)).toHaveLength(count * outputs);
      expect(layer.backward(drawn(4 * outputs, 3), count, true)).toHaveLength(count * inputs);
    }
    layer.forward(drawn(4 * inputs, 2), 2);
    expect(layer.backward(drawn(4 * outputs, 3), 2, false)).toBeUndefined();
  });

  it("refuses more rows than it has room for, none at all, and a backward that no forward went before", () => {
    const layer = new ConvLayer(kernels, options());
    expect(() => layer.forward(drawn(5 * inputs, 2), 5)).toThrow(
      "Cannot go forward: 5 rows, this layer takes 1 to 4",
    );
    expect(() => layer.evaluate(drawn(inputs, 2), 0)).toThrow("Cannot go forward: 0 rows");
    expect(() => layer.backward(drawn(outputs, 3), 1, true)).toThrow("1 rows, the last forward had none");
  });
});
