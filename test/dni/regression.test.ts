import { describe, expect, it } from "vitest";
import { AuxiliaryHead } from "../../shared/dni/auxiliary-head.ts";
import { ClassifyingGenerator } from "../../shared/dni/generators/classifying-generator.ts";
import { Head } from "../../shared/dni/head.ts";
import type { Method } from "../../shared/dni/layer-options.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, lossInDouble, outputInDouble } from "../math/double-oracle.ts";
import { adam, drawn, layerOptionsOf, learningOf, networkOf, sgd } from "./network.ts";

const kernels = plainKernels();
const rows = 6;
const units = [10, 2, 1];
const values = { loss: "mean-squared-error", nonlinearity: "identity", batchNorm: false, units } as const;
const example = { rows, input: drawn(rows * 4, 1), labels: drawn(rows * 3, 2).map((label) => 3 * label) };

/** A linear layer, 4 → 3, in double precision. */
function doubleOf(weight: Float32Array, bias: Float32Array) {
  const sizes = { inputs: 4, outputs: 3, nonlinearity: "identity" } as const;
  const double = { ...sizes, weight: Array.from(weight), bias: Array.from(bias) };
  const input = Array.from(example.input);
  const loss = () =>
    lossInDouble("mean-squared-error", outputInDouble(double, input, rows), Array.from(example.labels), 3);
  return { double, input, loss };
}

describe("the gradient of values", () => {
  it("is that of the loss, in the head's input and weights", () => {
    const head = new Head(
      kernels,
      layerOptionsOf({ ...values, labelWidth: 3, learning: learningOf({ layer: sgd(1) }) }),
    );
    const { tensors } = head.state();
    const { double, input, loss } = doubleOf(tensors["layer.weight"]!, tensors["layer.bias"]!);
    const gradient = centralDifferences(loss, double.weight);
    expect(distance(head.rehearse(example).inputGradient!, centralDifferences(loss, input))).toBeLessThan(
      1e-4,
    );
    head.update(example, 0);
    const expected = double.weight.map((weight, at) => weight - gradient[at]! / rows);
    expect(distance(tensors["layer.weight"]!, expected)).toBeLessThan(1e-5);
  });

  it("is that of the loss in the head of a local layer, which no sigmoid bounds", () => {
    const local = layerOptionsOf({ ...values, outputs: 4, labelWidth: 3 });
    const judge = new AuxiliaryHead(kernels, local);
    const { weight, bias } = judge.tensors();
    const { input, loss } = doubleOf(weight!, bias!);
    const found = judge.outputGradient(example.input, example.labels, rows);
    expect(distance(found, centralDifferences(loss, input))).toBeLessThan(1e-4);
    const { units: _, ...bits } = local;
    const bounded = new AuxiliaryHead(kernels, bits).outputGradient(example.input, example.labels, rows);
    expect(distance(bounded, centralDifferences(loss, input))).toBeGreaterThan(0.1);
  });

  it("is what a classifying generator comes to before a linear head", () => {
    const widths = { output: 4, labels: 3, input: 0 };
    const generator = new ClassifyingGenerator(kernels, {
      ...{ widths, maxRows: rows, optimizer: adam(0.05), loss: values.loss },
    });
    const head = new Head(
      kernels,
      layerOptionsOf({ ...values, labelWidth: 3, learning: learningOf({ layer: sgd(0) }) }),
    );
    const evidence = (batch: number) => {
      const output = drawn(rows * 4, batch);
      const labels = drawn(rows * 3, batch + 1_000_000);
      const target = head.rehearse({ rows, input: output, labels }).inputGradient!;
      return { evidence: { rows, output, labels, input: output }, target };
    };
    const errorOf = (batch: number) => {
      const { evidence: seen, target } = evidence(batch);
      const { squaredError, squaredTarget } = generator.measure(seen, target);
      return squaredError / squaredTarget;
    };
    const { tensors } = head.state();
    generator.tensors().classifier!.set(tensors["layer.weight"]!);
    generator.tensors().offset!.set(tensors["layer.bias"]!);
    const before = errorOf(9_000);
    for (let batch = 0; batch < 600; batch++) {
      const { evidence: seen, target } = evidence(batch);
      generator.learn(seen, target, 0.05);
    }
    expect(before).toBeCloseTo(1, 5);
    expect(errorOf(9_000)).toBeLessThan(1e-3);
  });
});

/** y = (sin of a projection, a product), with a mean and a unit of its own; batch by batch. */
function curved(seed: number) {
  const n = 64;
  const input = drawn(n * 4, seed);
  const labels = new Float32Array(n * 2);
  for (let row = 0; row < n; row++) {
    const [a, b, c] = input.subarray(4 * row, 4 * row + 3) as unknown as [number, number, number];
    labels[2 * row] = 1.4 * Math.sin(1.5 * a + b);
    labels[2 * row + 1] = b * c;
  }
  return { rows: n, input, labels };
}

describe("values of two labels, neither linear", () => {
  const run = { batchSize: 64, batches: 1200 };
  const trained = (method: Method) => {
    const learning = learningOf({ method, layer: adam(0.005, { kind: "cosine" }) });
    const generator = {
      ...learning.generator,
      ...(method === "dni" ? {} : { form: "classifying" as const }),
    };
    const loss = "mean-squared-error" as const;
    const network = networkOf([4, 32, 32, 2], {
      run,
      loss,
      units: [10, 1],
      learning: { ...learning, generator },
    });
    const chain = referenceChain(plainKernels(), network, { staleness: 1 });
    for (let batch = 0; batch < run.batches; batch++) chain.train(curved(batch), batch);
    return chain.evaluate(Array.from({ length: 8 }, (_, part) => curved(1_000_000 + part)));
  };
  const frozen = trained("frozen");

  it.each(["backprop", "cdni", "dni", "local"] as const)(
    "are learnt by %s, far better than by a frozen network",
    (method) => {
      const score = trained(method);
      console.info(`${method}: R² ${score.r2}, frozen ${frozen.r2}`);
      expect(score.error).toBeLessThan(0.5 * frozen.error);
      expect(score.error).toBeCloseTo(1 - (score.r2![0]! + score.r2![1]!) / 2, 9);
      // The first label is told in a unit ten times as small.
      const deviation = [0.99, 1].map(
        (expected, at) => score.rmse![at]! / Math.sqrt(1 - score.r2![at]!) / expected,
      );
      expect(deviation[0]).toBeGreaterThan(8);
      expect(deviation[0]).toBeLessThan(12);
      expect(deviation[1]).toBeGreaterThan(0.8);
      expect(deviation[1]).toBeLessThan(1.25);
    },
  );
});
