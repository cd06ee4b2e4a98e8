import { describe, expect, it } from "vitest";
import type { Evidence, EvidenceWidths } from "../../../shared/dni/evidence.ts";
import { SyntheticGradientGenerator } from "../../../shared/dni/generators/linear-generator.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, range, sum } from "../../math/double-oracle.ts";
import { adam, drawn, sgd } from "../network.ts";

const kernels = plainKernels();
const rows = 5;
const widths = { output: 3, labels: 2, input: 4 };
/** What lies in the evidence as it is. */
type Part = keyof EvidenceWidths;

const evidence: Evidence = {
  rows,
  output: drawn(rows * 3, 1),
  labels: drawn(rows * 2, 2),
  input: drawn(rows * 4, 3),
};
const target = drawn(rows * 3, 4);
const combinations: Part[][] = [
  ["output"],
  ["labels"],
  ["input"],
  ["output", "labels"],
  ["output", "input"],
  ["labels", "input"],
  ["output", "labels", "input"],
];

function generatorOf(parts: Part[], optimizer: ReturnType<typeof adam | typeof sgd> = sgd(1)) {
  return new SyntheticGradientGenerator(kernels, { widths, evidence: parts, maxRows: 6, optimizer });
}

function disturb(generator: SyntheticGradientGenerator, seed = 30): void {
  const { weight, bias } = generator.tensors();
  weight!.set(drawn(weight!.length, seed));
  bias!.set(drawn(bias!.length, seed + 1));
}

/** The guess by its formula, from the parts laid side by side. */
function guessInDouble(parts: Part[], weight: number[], bias: number[]): number[] {
  return range(rows * 3).map((i) => {
    const [row, unit] = [Math.floor(i / 3), i % 3];
    const seen = parts.flatMap((part) => {
      const width = widths[part];
      return Array.from(evidence[part]!.subarray(row * width, (row + 1) * width));
    });
    return sum(seen.map((x, k) => x * weight[k * 3 + unit]!)) + bias[unit]!;
  });
}

describe.each(combinations.map((parts) => ({ parts })))("a generator that sees $parts", ({ parts }) => {
  it("guesses zero before it has learnt", () => {
    expect(
      generatorOf(parts)
        .predict(evidence)
        .every((x) => x === 0),
    ).toBe(true);
  });

  it("guesses linearly in what it sees", () => {
    const generator = generatorOf(parts);
    disturb(generator);
    const { weight, bias } = generator.tensors();
    const expected = guessInDouble(parts, Array.from(weight!), Array.from(bias!));
    expect(distance(generator.predict(evidence).subarray(0, rows * 3), expected)).toBeLessThan(1e-5);
  });

  it("descends by the mean gradient of half its squared error, at the weights it has by then", () => {
    const generator = generatorOf(parts);
    disturb(generator);
    generator.predict(evidence);
    disturb(generator, 40);
    const { weight, bias } = generator.tensors();
    const [w, c] = [Array.from(weight!), Array.from(bias!)];
    const loss = () => sum(guessInDouble(parts, w, c).map((s, i) => 0.5 * (s - target[i]!) ** 2)) / rows;
    const expected = [w, c].map((values) => {
      const gradient = centralDifferences(loss, values);
      return values.map((value, i) => value - gradient[i]!);
    });
    generator.learn(evidence, target, 1);
    expect(distance(weight!, expected[0]!)).toBeLessThan(1e-5);
    expect(distance(bias!, expected[1]!)).toBeLessThan(1e-5);
  });
});

describe("a generator", () => {
  it("reports how good its guess was, from before the step", () => {
    const generator = generatorOf(["output", "labels"]);
    disturb(generator);
    const guess = generator.predict(evidence).slice(0, rows * 3);
    const health = generator.learn(evidence, target, 0.01);
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => sum(Array.from(a, (x, i) => x * b[i]!));
    const errors = Array.from(guess, (s, i) => Math.fround(s - target[i]!));
    expect(health.squaredError).toBeCloseTo(dot(errors, errors), 6);
    expect(health.squaredTarget).toBeCloseTo(dot(target, target), 6);
    const cosine = dot(guess, target) / Math.sqrt(dot(guess, guess) * dot(target, target));
    expect(health.cosine).toBeCloseTo(cosine, 6);
    expect(health.squaredGuess).toBeCloseTo(dot(guess, guess), 6);
    expect(health.product).toBeCloseTo(dot(guess, target), 6);
  });

  it("says zero, not NaN, for the angle of its first guess", () => {
    const { squaredError, squaredTarget, cosine } = generatorOf(["labels"]).learn(evidence, target, 0.01);
    expect(squaredError).toBe(squaredTarget);
    expect(cosine).toBe(0);
  });

  it("measures what learning would report, and changes nothing", () => {
    const generator = generatorOf(["output"], adam(0.1));
    disturb(generator);
    const before = structuredClone({ ...generator.tensors(), ...generator.optimizerTensors() });
    const measured = generator.measure(evidence, target);
    expect({ ...generator.tensors(), ...generator.optimizerTensors() }).toEqual(before);
    expect(generator.steps).toBe(0);
    expect(generator.learn(evidence, target, 0.1)).toEqual(measured);
    expect(generator.tensors().weight).not.toEqual(before.weight);
    expect(generator.steps).toBe(1);
  });

  it("learns a linear gradient from the part it depends on, and not from another", () => {
    const residualOf = (parts: Part[]) => {
      const generator = generatorOf(parts, adam(0.05));
      const truth = drawn(2 * 3, 8);
      const residuals = range(600).map((step) => {
        const seen = { rows: 6, output: drawn(18, step + 100), labels: drawn(12, step + 900) };
        const aim = kernels.allocate(18);
        kernels.multiply(seen.labels, truth, aim, { rows: 6, inner: 2, columns: 3 });
        const { squaredError, squaredTarget } = generator.learn(seen, aim, 0.05);
        return squaredError / squaredTarget;
      });
      return sum(residuals.slice(-100)) / 100;
    };
    expect(residualOf(["output", "labels"])).toBeLessThan(0.001);
    expect(residualOf(["output"])).toBeGreaterThan(0.8);
  });

  it("lays out its weight alike, however its evidence is ordered in the config", () => {
    const [a, b] = [generatorOf(["labels", "output"]), generatorOf(["output", "labels"])];
    a.learn(evidence, target, 1);
    b.learn(evidence, target, 1);
    expect(a.tensors()).toEqual(b.tensors());
  });

  it("refuses to look at nothing, and evidence without a part it looks at", () => {
    expect(() => generatorOf([])).toThrow("Cannot make a generator: it may look at nothing");
    const { input: _, ...blind } = evidence;
    expect(() => generatorOf(["input"]).predict(blind)).toThrow("the evidence has no input");
  });
});

describe("a generator with hidden layers", () => {
  const hidden = { widths: [7, 6], batchNorm: true, seed: 3, layer: 2 };
  const options = { widths, evidence: ["output", "labels", "input"] as const, maxRows: 6, optimizer: sgd(1) };
  const loss = (generator: SyntheticGradientGenerator) =>
    generator.measure(evidence, target).squaredError / 2 / rows;

  it("guesses zero before it has learnt, though its hidden layers are drawn", () => {
    const generator = new SyntheticGradientGenerator(kernels, { ...options, hidden });
    expect(generator.predict(evidence).every((x) => x === 0)).toBe(true);
    expect(generator.tensors()["hidden1.weight"]!.some((x) => x !== 0)).toBe(true);
  });

  it("moves every tensor by the gradient of its regression, found by differences", () => {
    const before = new SyntheticGradientGenerator(kernels, { ...options, hidden });
    disturb(before);
    const after = new SyntheticGradientGenerator(kernels, { ...options, hidden });
    for (const [name, tensor] of Object.entries(after.tensors())) tensor.set(before.tensors()[name]!);
    const rate = 1e-3;
    after.learn(evidence, target, rate);
    for (const [name, tensor] of Object.entries(before.tensors())) {
      if (name.includes("running")) continue;
      const moved = Array.from(tensor, (value, i) => (value - after.tensors()[name]![i]!) / rate);
      const expected = Array.from(tensor, (value, i) => {
        const difference = [0.01, -0.01].map((step) => {
          tensor[i] = value + step;
          return loss(before);
        });
        tensor[i] = value;
        return (difference[0]! - difference[1]!) / 0.02;
      });
      const size = Math.sqrt(sum(expected.map((x) => x * x)));
      expect(distance(moved, expected) / size, name).toBeLessThan(0.05);
    }
  });

  it("learns what no linear one can: a product of what it sees", () => {
    const residualOf = (more: { hidden?: typeof hidden }) => {
      const generator = new SyntheticGradientGenerator(kernels, {
        ...options,
        evidence: ["output"],
        maxRows: 32,
        optimizer: adam(0.01),
        ...more,
      });
      const residuals = range(800).map((step) => {
        const seen = { rows: 32, output: drawn(96, step + 100), labels: drawn(64, step + 900) };
        const aim = Float32Array.from(seen.output, (x, i) => x * seen.output[i - (i % 3)]!);
        const { squaredError, squaredTarget } = generator.learn(seen, aim, 0.01);
        return squaredError / squaredTarget;
      });
      return sum(residuals.slice(-100)) / 100;
    };
    expect(residualOf({ hidden: { ...hidden, widths: [32] } })).toBeLessThan(0.3);
    expect(residualOf({})).toBeGreaterThan(0.6);
  });
});

describe("a generator that sees the normalised output", () => {
  const parts = ["normalisedOutput", "labels"] as const;
  const generator = () =>
    new SyntheticGradientGenerator(kernels, { widths, evidence: parts, maxRows: 6, optimizer: sgd(1) });

  it("guesses the same for outputs that differ by scale and shift", () => {
    const one = generator();
    disturb(one);
    const guess = one.predict(evidence).slice(0, rows * 3);
    const scaled = { ...evidence, output: evidence.output.map((x, i) => (i % 3 === 0 ? 10 * x + 5 : x)) };
    expect(distance(one.predict(scaled).subarray(0, rows * 3), Array.from(guess))).toBeLessThan(1e-3);
    expect(distance(generatorOf(["output"]).predict(evidence), new Float32Array(18))).toBe(0);
  });
});
