import { describe, expect, it } from "vitest";
import { DecoupledLayer } from "../../../shared/dni/decoupled-layer.ts";
import { ClassifyingGenerator } from "../../../shared/dni/generators/classifying-generator.ts";
import { referenceChain } from "../../../shared/layers/network.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { distance, range } from "../../math/double-oracle.ts";
import { adam, classes, drawn, layerOptionsOf, learningOf, networkOf, sgd, snapshotOf } from "../network.ts";
import { twoRings } from "../two-rings.ts";

const kernels = plainKernels();
const rows = 5;
const evidence = { rows, output: drawn(15, 1), labels: classes(rows, 2) };
const target = drawn(15, 2);
const classifying = learningOf({
  generator: { ...adam(0.02), evidence: ["output", "labels"], form: "classifying" },
});

function generator() {
  const widths = { output: 3, labels: 2, input: 0 };
  const loss = "softmax-cross-entropy" as const;
  const made = new ClassifyingGenerator(kernels, { widths, maxRows: rows, optimizer: sgd(1), loss });
  for (const [k, tensor] of Object.values(made.tensors()).entries()) tensor.set(drawn(tensor.length, 5 + k));
  return made;
}

/** p − labels, by the formula. */
function residualOf({ classifier, offset }: Readonly<Record<string, Float32Array>>): number[] {
  return range(rows).flatMap((row) => {
    const logit = (c: number) =>
      range(3).reduce((sum, i) => sum + evidence.output[3 * row + i]! * classifier![2 * i + c]!, offset![c]!);
    const powers = [logit(0), logit(1)].map(Math.exp);
    return powers.map((power, c) => power / (powers[0]! + powers[1]!) - Number(evidence.labels[row] === c));
  });
}

describe("a classifying generator", () => {
  it("guesses how wrong its classifier is, spread over the units", () => {
    const one = generator();
    const { spread } = one.tensors();
    const residual = residualOf(one.tensors());
    const expected = range(15).map((at) => {
      const [row, unit] = [Math.floor(at / 3), at % 3];
      return [0, 1].reduce((sum, c) => sum + residual[2 * row + c]! * spread![3 * c + unit]!, 0);
    });
    expect(distance(one.predict(evidence), expected)).toBeLessThan(1e-5);
  });

  it("learns from a target how to spread, and nothing else, by the mean gradient of its squared error", () => {
    const one = generator();
    const before = structuredClone(one.tensors());
    const residual = residualOf(before);
    const guess = one.predict(evidence).slice();
    one.learn(evidence, target, 1);
    const after = one.tensors();
    expect([after.classifier, after.offset]).toEqual([before.classifier, before.offset]);
    const expected = Array.from(before.spread!, (value, at) => {
      const [c, unit] = [Math.floor(at / 3), at % 3];
      const slope = range(rows).map(
        (row) => residual[2 * row + c]! * (guess[3 * row + unit]! - target[3 * row + unit]!),
      );
      return value - slope.reduce((sum, each) => sum + each, 0) / rows;
    });
    expect(distance(after.spread!, expected)).toBeLessThan(1e-5);
  });

  it("learns from labels how wrong it is, and nothing else, and is then less so", () => {
    const one = generator();
    const size = () => residualOf(one.tensors()).reduce((sum, each) => sum + each * each, 0);
    const [before, spread] = [size(), structuredClone(one.tensors().spread)];
    for (const step of range(50)) {
      one.predict(evidence);
      one.observe(evidence, { layer: 9, generator: 0.2 }, step + 1);
    }
    expect(size()).toBeLessThan(before / 2);
    expect(one.tensors().spread).toEqual(spread);
  });
});

describe("a layer with a classifying generator", () => {
  it("goes on from its state as if nothing had happened, and rehearses without a trace", () => {
    const build = () => new DecoupledLayer(kernels, layerOptionsOf({ learning: classifying }));
    const [one, other] = [build(), build()];
    const example = { rows: 8, input: drawn(32, 1), labels: classes(8, 2) };
    const step = (layer: DecoupledLayer, batch: number) => {
      const { output } = layer.update(example, batch);
      layer.learn(layer.evidence(example, output), drawn(24, batch), batch);
    };
    for (const batch of range(3)) step(one, batch);
    const saved = snapshotOf(one);
    other.restore(saved);
    one.rehearse(example);
    expect(snapshotOf(one)).toEqual(saved);
    for (const layer of [one, other]) step(layer, 3);
    expect(snapshotOf(other)).toEqual(snapshotOf(one));
  });

  it.each([1, 32])(
    "tells rings apart, its targets %i batches late, as a frozen one does not",
    (staleness) => {
      const run = { batchSize: 64, batches: 1500 };
      const errorOf = (how: "cdni" | "frozen") => {
        const network = networkOf([2, 4, 4, 2], { run, learning: { ...classifying, method: how } });
        const chain = referenceChain(kernels, network, { staleness });
        for (const batch of range(run.batches)) chain.train(twoRings(1, batch, 64), batch);
        return chain.evaluate(range(8).map((part) => twoRings(1001, part, 64))).error;
      };
      expect(errorOf("cdni")).toBeLessThan(0.05);
      expect(errorOf("frozen")).toBeGreaterThan(0.15);
    },
  );
});
