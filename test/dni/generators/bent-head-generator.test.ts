import { describe, expect, it } from "vitest";
import { BentHeadGenerator } from "../../../shared/dni/generators/bent-head-generator.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, lossInDouble, range, sum } from "../../math/double-oracle.ts";
import { normInDouble } from "../../math/transformer/double-block.ts";
import { classes, drawn, oneHot, sgd } from "../network.ts";

const [rows, positions, width, count] = [2, 3, 4, 2];
const places = rows * positions;
const evidence = { rows, output: drawn(places * width, 1), labels: classes(places, count) };
const rates = { layer: 0.3, generator: 9 };

function generator(change: { rate?: number } = {}) {
  const widths = { output: positions * width, labels: positions * count, input: 0 };
  const loss = "softmax-cross-entropy" as const;
  const optimizer = sgd(change.rate ?? 1);
  return new BentHeadGenerator(plainKernels(), {
    widths,
    positions,
    maxRows: rows,
    loss,
    seed: [5],
    headOptimizer: sgd(1),
    optimizer,
  });
}

/** The loss of the head alone, summed over all positions, in double precision. */
function headLoss(output: readonly number[], tensors: Readonly<Record<string, Float32Array>>): number {
  const [weight, gamma] = [Array.from(tensors["head.weight"]!), Array.from(tensors["head.gamma"]!)];
  const logits = range(places).flatMap((place) => {
    const x = normInDouble(output.slice(place * width, (place + 1) * width), gamma);
    return range(count).map((c) => sum(x.map((value, i) => value * weight[i * count + c]!)));
  });
  return lossInDouble("softmax-cross-entropy", logits, Array.from(oneHot(places, count)), count);
}

describe("a bent head", () => {
  it("asks, before any target, for what its own head asks for at each position", () => {
    const one = generator();
    const output = Array.from(evidence.output);
    const expected = centralDifferences(() => headLoss(output, one.tensors()), output);
    expect(distance(one.predict(evidence), expected)).toBeLessThan(1e-4);
  });

  it("bends that by a matrix", () => {
    const one = generator();
    const asked = Array.from(one.predict(evidence));
    one.tensors().bend!.set(drawn(width * width, 7));
    const bend = Array.from(one.tensors().bend!);
    const expected = range(places).flatMap((place) =>
      range(width).map((column) =>
        sum(range(width).map((i) => asked[place * width + i]! * bend[i * width + column]!)),
      ),
    );
    expect(distance(one.predict(evidence), expected)).toBeLessThan(1e-5);
  });

  it("learns the bend alone from a target, and hits one that is a bend of what the head asks for", () => {
    const one = generator();
    const turn = drawn(width * width, 8);
    const other = generator();
    other.tensors().bend!.set(turn);
    const target = other.predict(evidence).slice();
    const before = structuredClone(one.tensors());
    const first = one.learn(evidence, target, 0.5);
    expect(one.tensors()["head.weight"]).toEqual(before["head.weight"]);
    for (let i = 0; i < 2000; i++) one.learn(evidence, target, 0.5);
    const last = one.measure(evidence, target);
    expect(last.squaredError).toBeLessThan(0.01 * first.squaredError);
    expect(last.cosine).toBeGreaterThan(0.99);
  });

  it("learns the head from labels alone, at the layer's rate", () => {
    const one = generator();
    const output = Array.from(evidence.output);
    const bend = one.tensors().bend!.slice();
    const loss = () => headLoss(output, one.tensors());
    const before = loss();
    for (let step = 1; step <= 50; step++) {
      one.predict(evidence);
      one.observe(evidence, rates, step);
    }
    expect(loss()).toBeLessThan(0.7 * before);
    expect(one.tensors().bend).toEqual(bend);
  });

  it("learns nothing from a target of zeros", () => {
    const one = generator();
    const bend = one.tensors().bend!.slice();
    one.learn(evidence, new Float32Array(places * width), 0.5);
    expect(one.tensors().bend).toEqual(bend);
  });
});
