import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../shared/dni/evidence.ts";
import { ConvGenerator, type ConvGeneratorOptions } from "../../../shared/dni/generators/conv-generator.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, range, sum } from "../../math/double-oracle.ts";
import { adam, drawn, oneHot, sgd } from "../network.ts";

const kernels = plainKernels();
const rows = 4;
const image = { height: 3, width: 2, channels: 2 };
const outputs = 3 * 2 * 2;
const labels = 3;

const evidence: Evidence = { rows, output: drawn(rows * outputs, 1), labels: oneHot(rows, labels) };
const target = drawn(rows * outputs, 2);

function generatorOf(change: Partial<ConvGeneratorOptions> = {}): ConvGenerator {
  const common = { maxRows: 5, seed: 1, layer: 1, batchNorm: true, optimizer: sgd(1) };
  return new ConvGenerator(kernels, { image, labels, hidden: [], ...common, ...change });
}

/** Moves every tensor off its first values; those that are no weights stay. */
function disturb(generator: ConvGenerator): void {
  for (const [i, [name, tensor]] of Object.entries(generator.tensors()).entries())
    if (!name.includes("running"))
      tensor.set(drawn(tensor.length, 20 + i).map((x, at) => tensor[at]! + 0.3 * x));
}

/** By the formula: at each place a product of its channels, and a number for each label and place. */
function guessInDouble(weight: number[], bias: number[], labelMap: number[]): number[] {
  return range(rows * outputs).map((i) => {
    const [row, unit, channel] = [Math.floor(i / outputs), i % outputs, i % 2];
    const seen = range(2).map((c) => evidence.output[i - channel + c]! * weight[c * 2 + channel]!);
    const told = range(labels).map((l) => evidence.labels[row * labels + l]! * labelMap[l * outputs + unit]!);
    return sum(seen) + bias[channel]! + sum(told);
  });
}

const kinds = [
  { about: "linear, with labels", change: {} },
  { about: "linear, without labels", change: { labels: 0 } },
  { about: "one hidden convolution, with labels", change: { hidden: [4] } },
  { about: "two hidden convolutions without batch norm", change: { hidden: [4, 3], batchNorm: false } },
];

describe.each(kinds)("a generator of images ($about)", ({ change }) => {
  it("guesses zero before it has learnt", () => {
    const guess = generatorOf(change).predict(evidence);
    expect(guess.subarray(0, rows * outputs).every((x) => x === 0)).toBe(true);
  });

  it("descends by the mean gradient of half its squared error", () => {
    const rate = 0.01;
    // No rectifier, at whose corner differences would find nothing: every place is shifted well above zero.
    const generator = generatorOf({ ...change, optimizer: sgd(rate) });
    disturb(generator);
    const names = Object.keys(generator.tensors()).filter((name) => !name.includes("running"));
    const loss = () => {
      const guess = generator.predict(evidence);
      return sum(range(rows * outputs).map((i) => 0.5 * (guess[i]! - target[i]!) ** 2)) / rows;
    };
    // Differences in single precision: coarse, and of a few numbers of each tensor.
    const expected = names.map((name) => {
      const tensor = generator.tensors()[name]!;
      return slopes(loss, tensor, Math.min(6, tensor.length));
    });
    const before = names.map((name) => generator.tensors()[name]!.slice());
    generator.learn(evidence, target, rate);
    for (const [i, name] of names.entries()) {
      const after = generator.tensors()[name]!;
      const moved = expected[i]!.map((_, at) => (before[i]![at]! - after[at]!) / rate);
      expect(distance(moved, expected[i]!), name).toBeLessThan(0.02);
    }
  });

  it("measures what learning would report, and changes nothing", () => {
    const generator = generatorOf({ ...change, optimizer: adam(0.1) });
    disturb(generator);
    const before = structuredClone({ ...generator.tensors(), ...generator.optimizerTensors() });
    const measured = generator.measure(evidence, target);
    expect({ ...generator.tensors(), ...generator.optimizerTensors() }).toEqual(before);
    expect(generator.learn(evidence, target, 0.1)).toEqual(measured);
    expect(generator.steps).toBe(1);
    expect(generator.tensors()).not.toEqual(before);
  });
});

function slopes(f: () => number, tensor: Float32Array, count: number): number[] {
  return range(count).map((at) => {
    const value = tensor[at]!;
    const ends = [1e-2, -1e-2].map((step) => {
      tensor[at] = value + step;
      return f();
    });
    tensor[at] = value;
    return (ends[0]! - ends[1]!) / 2e-2;
  });
}

describe("a generator of images", () => {
  it("is linear at each place, plus what each label says of each place", () => {
    const generator = generatorOf();
    disturb(generator);
    const { "conv1.weight": weight, "conv1.bias": bias, labelMap } = generator.tensors();
    const expected = guessInDouble(Array.from(weight!), Array.from(bias!), Array.from(labelMap!));
    expect(distance(generator.predict(evidence).subarray(0, rows * outputs), expected)).toBeLessThan(1e-5);
  });

  it("learns by the gradient that differences find, in double precision", () => {
    const generator = generatorOf();
    disturb(generator);
    const names = ["conv1.weight", "conv1.bias", "labelMap"];
    const values = names.map((name) => Array.from(generator.tensors()[name]!));
    const [weight, bias, labelMap] = values as [number[], number[], number[]];
    const loss = () =>
      sum(guessInDouble(weight, bias, labelMap).map((s, i) => 0.5 * (s - target[i]!) ** 2)) / rows;
    const expected = values.map((each) => {
      const gradient = centralDifferences(loss, each);
      return each.map((value, i) => value - gradient[i]!);
    });
    generator.learn(evidence, target, 1);
    for (const [i, name] of names.entries())
      expect(distance(generator.tensors()[name]!, expected[i]!), name).toBeLessThan(1e-5);
  });

  it("learns where in the image a class shows, which it cannot without labels", () => {
    const truth = drawn(labels * outputs, 5);
    const residualOf = (seen: number) => {
      const generator = generatorOf({ labels: seen, optimizer: adam(0.05) });
      const residuals = range(400).map((step) => {
        const output = drawn(rows * outputs, 100 + step);
        const aim = kernels.allocate(rows * outputs);
        const shown = oneHot(rows, labels);
        kernels.multiply(shown, truth, aim, { rows, inner: labels, columns: outputs });
        const health = generator.learn({ rows, output, labels: shown }, aim, 0.05);
        return health.squaredError / health.squaredTarget;
      });
      return sum(residuals.slice(-50)) / 50;
    };
    expect(residualOf(labels)).toBeLessThan(0.01);
    expect(residualOf(0)).toBeGreaterThan(0.5);
  });

  it("draws hidden convolutions from seed and layer alone", () => {
    const weight = (seed: number, layer: number) =>
      generatorOf({ hidden: [4], seed, layer }).tensors()["conv1.weight"];
    expect(weight(1, 2)).toEqual(weight(1, 2));
    expect(weight(1, 2)).not.toEqual(weight(2, 2));
    expect(weight(1, 2)).not.toEqual(weight(1, 1));
  });
});
