import { describe, expect, it } from "vitest";
import { Head } from "../../shared/dni/head.ts";
import type { LayerOptions } from "../../shared/dni/layer-options.ts";
import type { Loss } from "../../shared/math/kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, lossInDouble, outputInDouble, range } from "../math/double-oracle.ts";
import { classes, drawn, layerOptionsOf, learningOf, oneHot, sgd, snapshotOf } from "./network.ts";

const kernels = plainKernels();
const rows = 6;

function headOf(change: Partial<LayerOptions> = {}): Head {
  const plain = { labelWidth: 3, nonlinearity: "identity", batchNorm: false } as const;
  return new Head(kernels, layerOptionsOf({ ...plain, ...change }));
}

function exampleOf(batch: number, loss: Loss = "softmax-cross-entropy") {
  const labels = loss === "softmax-cross-entropy" ? classes(rows, 3) : oneHot(rows, 3);
  return { rows, input: drawn(rows * 4, batch), labels };
}

const kinds = [
  { loss: "softmax-cross-entropy", nonlinearity: "identity" },
  { loss: "sigmoid-cross-entropy", nonlinearity: "identity" },
  { loss: "mean-squared-error", nonlinearity: "identity" },
  { loss: "mean-squared-error", nonlinearity: "sigmoid" },
] as const;

describe.each(kinds)("a head with $loss behind $nonlinearity", (kind) => {
  const head = headOf({ ...kind, learning: learningOf({ layer: sgd(1) }) });
  const { tensors } = head.state();
  const double = {
    inputs: 4,
    outputs: 3,
    nonlinearity: kind.nonlinearity,
    weight: Array.from(tensors["layer.weight"]!),
    bias: Array.from(tensors["layer.bias"]!),
  };
  const example = exampleOf(0, kind.loss);
  const input = Array.from(example.input);
  const loss = () =>
    lossInDouble(kind.loss, outputInDouble(double, input, rows), Array.from(oneHot(rows, 3)), 3);

  it("reports the mean loss, and sends back its gradient per example", () => {
    const answer = head.rehearse(example);
    expect(answer.loss).toBeCloseTo(loss() / rows, 5);
    expect(distance(answer.inputGradient!, centralDifferences(loss, input))).toBeLessThan(1e-4);
  });

  it("descends by the mean gradient", () => {
    const before = { weight: [...double.weight], bias: [...double.bias] };
    const gradients = {
      weight: centralDifferences(loss, double.weight),
      bias: centralDifferences(loss, double.bias),
    };
    head.update(example, 0);
    for (const name of ["weight", "bias"] as const) {
      const expected = before[name].map((value, i) => value - gradients[name][i]! / rows);
      expect(distance(tensors[`layer.${name}`]!, expected), name).toBeLessThan(1e-5);
    }
  });
});

describe("a head", () => {
  it("answers a rehearsal as it would answer the update, and changes no state", () => {
    const head = headOf({ batchNorm: true });
    for (const batch of range(3)) head.update(exampleOf(batch), batch);
    const before = snapshotOf(head);
    const rehearsed = structuredClone(head.rehearse(exampleOf(3)));
    head.evaluate(exampleOf(4));
    expect(head.state()).toEqual(before);
    expect(head.update(exampleOf(3), 3)).toEqual(rehearsed);
    expect(head.state()).not.toEqual(before);
  });

  it("restores a snapshot and continues bit for bit", () => {
    const [lived, restarted] = [headOf(), headOf({ seed: 9 })];
    for (const batch of range(5)) lived.update(exampleOf(batch), batch);
    restarted.restore(snapshotOf(lived));
    for (const head of [lived, restarted]) head.update(exampleOf(5), 5);
    expect(restarted.state()).toEqual(lived.state());
    expect(() => lived.restore({ tensors: {}, counters: {} })).toThrow("layer.weight is missing; layer.bias");
  });

  it("learns a class that a line parts, and reports what it still gets wrong", () => {
    const separable = (batch: number) => {
      const input = drawn(8 * 4, batch);
      const labels = Float32Array.from({ length: 8 }, (_, row) => Number(input[row * 4]! > 0));
      return { rows: 8, input, labels };
    };
    const head = headOf({ outputs: 2, labelWidth: 2, learning: learningOf({ layer: sgd(0.5) }) });
    const wrong = () =>
      range(25).reduce((sum, part) => sum + head.evaluate(separable(10_000 + part)).wrong, 0);
    const before = wrong();
    for (const batch of range(400)) head.update(separable(batch), batch);
    expect(before).toBeGreaterThan(40);
    expect(wrong()).toBeLessThan(10);
  });

  it("adds up loss, wrong bits and exact rows over an evaluation", () => {
    const head = headOf({ loss: "sigmoid-cross-entropy", inputs: 3 });
    const { tensors } = head.state();
    tensors["layer.weight"]!.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const input = Float32Array.of(2, -2, 2, 2, 2, 2);
    const labels = Float32Array.of(1, 0, 1, 0, 0, 1);
    const right = Math.log1p(Math.exp(-2));
    const tally = head.evaluate({ rows: 2, input, labels });
    expect(tally).toMatchObject({ wrong: 2, exact: 1 });
    expect(tally.lossSum).toBeCloseTo(4 * right + 2 * (right + 2), 5);
    expect(head.judged).toBe("bits");
  });

  it("refuses to be, with another number of outputs than of labels", () => {
    expect(() => headOf({ labelWidth: 9 })).toThrow("Cannot make a head: 3 outputs, 9 labels an example");
  });
});
