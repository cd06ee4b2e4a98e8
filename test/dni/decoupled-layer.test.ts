import { describe, expect, it } from "vitest";
import { DecoupledLayer } from "../../shared/dni/decoupled-layer.ts";
import type { LayerOptions } from "../../shared/dni/layer-options.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, outputInDouble, range, sum } from "../math/double-oracle.ts";
import { adam, classes, drawn, layerOptionsOf, learningOf, oneHot, sgd, snapshotOf } from "./network.ts";

const kernels = plainKernels();
const rows = 6;

function layerOf(change: Partial<LayerOptions> = {}): DecoupledLayer {
  return new DecoupledLayer(kernels, layerOptionsOf(change));
}

function exampleOf(batch: number) {
  return { rows, input: drawn(rows * 4, batch), labels: classes(rows, 2) };
}

/** Batches `from` to `to` − 1, each followed by its target. */
function train(layer: DecoupledLayer, from: number, to: number): void {
  for (const batch of range(to - from).map((i) => from + i)) {
    const example = exampleOf(batch);
    const { output } = layer.update(example, batch);
    const evidence = layer.evidence(example, output.slice());
    layer.learn(evidence, drawn(rows * 3, 500 + batch), batch);
  }
}

describe("a decoupled layer", () => {
  it("is asked to change nothing by a generator that has not learnt", () => {
    const layer = layerOf({ learning: learningOf({ layer: sgd(1) }) });
    const before = snapshotOf(layer);
    const { inputGradient } = layer.update(exampleOf(0), 0);
    expect(inputGradient).toHaveLength(rows * 4);
    expect(inputGradient!.every((x) => x === 0)).toBe(true);
    for (const name of ["layer.weight", "layer.gamma", "layer.beta"]) {
      expect(layer.state().tensors[name]).toEqual(before.tensors[name]);
    }
  });

  it("backpropagates its guess through the weights of the forward, and descends by it", () => {
    const layer = layerOf({ learning: learningOf({ layer: sgd(1) }) });
    const { tensors } = layer.state();
    tensors["generator.weight"]!.set(drawn(15, 6));
    tensors["layer.gamma"]!.set(drawn(3, 7));
    const copy = (name: string) => Array.from(tensors[name]!);
    const [weight, gamma, beta] = [copy("layer.weight"), copy("layer.gamma"), copy("layer.beta")];
    const double = { inputs: 4, outputs: 3, nonlinearity: "tanh", weight, gamma, beta } as const;
    const example = exampleOf(0);
    const input = Array.from(example.input);
    const guess = guessInDouble(outputInDouble(double, input, rows), Array.from(oneHot(rows, 2)));
    const loss = () => sum(outputInDouble(double, input, rows).map((x, i) => x * guess[i]!));
    const inputGradient = centralDifferences(loss, input);
    const weightGradient = centralDifferences(loss, weight);

    const answer = layer.update(example, 0);
    expect(distance(answer.inputGradient!, inputGradient)).toBeLessThan(1e-4);
    const expected = weight.map((w, i) => w - weightGradient[i]! / rows);
    expect(distance(tensors["layer.weight"]!, expected)).toBeLessThan(1e-5);

    function guessInDouble(output: number[], labels: number[]): number[] {
      const a = copy("generator.weight");
      return output.map((_, i) => {
        const [row, unit] = [Math.floor(i / 3), i % 3];
        const seen = [...output.slice(row * 3, row * 3 + 3), ...labels.slice(row * 2, row * 2 + 2)];
        return sum(seen.map((x, k) => x * a[k * 3 + unit]!));
      });
    }
  });

  it("answers a rehearsal as it would answer the update, and changes no state", () => {
    const layer = layerOf();
    train(layer, 0, 5);
    const before = snapshotOf(layer);
    const rehearsed = structuredClone(layer.rehearse(exampleOf(5)));
    expect(layer.state()).toEqual(before);
    expect(layer.update(exampleOf(5), 5)).toEqual(rehearsed);
    expect(layer.state()).not.toEqual(before);
  });

  it("evaluates without changing state", () => {
    const layer = layerOf();
    train(layer, 0, 5);
    const before = snapshotOf(layer);
    expect(layer.evaluate(exampleOf(9))).toHaveLength(rows * 3);
    expect(layer.state()).toEqual(before);
  });

  it("tracks its running statistics with each update", () => {
    const layer = layerOf();
    layer.update(exampleOf(0), 0);
    expect(layer.state().tensors["layer.runningMean"]!.some((x) => x !== 0)).toBe(true);
  });

  it("restores a snapshot and continues bit for bit", () => {
    const [lived, restarted] = [layerOf(), layerOf({ seed: 99 })];
    train(lived, 0, 7);
    restarted.restore(snapshotOf(lived));
    expect(restarted.state()).toEqual(lived.state());
    train(lived, 7, 12);
    train(restarted, 7, 12);
    expect(restarted.state()).toEqual(lived.state());
  });

  it.each([
    "optimizer.layer.weight.firstMoment",
    "optimizer.layer.gamma.secondMoment",
    "optimizer.generator.weight.firstMoment",
    "generator.weight",
    "layer.weight",
  ])("would not, if it forgot its %s", (name) => {
    const [lived, restarted] = [layerOf(), layerOf()];
    train(lived, 0, 7);
    const state = snapshotOf(lived);
    state.tensors[name]!.fill(0);
    restarted.restore(state);
    train(lived, 7, 9);
    train(restarted, 7, 9);
    expect(restarted.state()).not.toEqual(lived.state());
  });

  it("refuses a state with missing or mis-sized parts, lists them all, and changes nothing", () => {
    const layer = layerOf();
    train(layer, 0, 3);
    const before = snapshotOf(layer);
    const { "layer.beta": _, ...tensors } = snapshotOf(layerOf()).tensors;
    const broken = { tensors: { ...tensors, "generator.bias": new Float32Array(2) }, counters: {} };
    expect(() => layer.restore(broken)).toThrow(
      "Cannot restore a layer: layer.beta is missing; generator.bias has 2 floats, this layer has 3; " +
        "generator.steps is missing",
    );
    expect(layer.state()).toEqual(before);
  });

  it("measures but never learns when frozen", () => {
    const layer = layerOf({ learning: learningOf({ method: "frozen" }) });
    const free = layerOf();
    const before = snapshotOf(layer);
    const example = exampleOf(0);
    const target = drawn(rows * 3, 5);
    const evidence = (of: DecoupledLayer) => of.evidence(example, of.rehearse(example).output.slice());
    expect(layer.learn(evidence(layer), target, 0)).toEqual(free.learn(evidence(free), target, 0));
    expect(layer.state()).toEqual(before);
    expect(free.state()).not.toEqual(before);
    train(layer, 0, 5);
    expect(layer.state().tensors["layer.weight"]).toEqual(before.tensors["layer.weight"]);
  });

  it("takes each rate from its own schedule at the batch it is told", () => {
    const stop = { kind: "step", at: [3], factor: 0 } as const;
    const evidence = ["output", "labels"] as const;
    const learning = learningOf({ layer: adam(0.1), generator: { ...adam(0.1, stop), evidence } });
    const layer = layerOf({ learning });
    const example = exampleOf(0);
    const { output } = layer.update(example, 0);
    const seen = layer.evidence(example, output.slice());
    const weight = () => layer.state().tensors["generator.weight"]!.slice();
    const before = weight();
    layer.learn(seen, drawn(rows * 3, 5), 3);
    expect(weight()).toEqual(before);
    layer.learn(seen, drawn(rows * 3, 5), 2);
    expect(weight()).not.toEqual(before);
    const [stopped, moving] = [stop, { kind: "constant" } as const].map((schedule) => {
      const late = layerOf({ learning: learningOf({ layer: adam(0.1, schedule) }) });
      late.state().tensors["generator.weight"]!.fill(1);
      const weightBefore = late.state().tensors["layer.weight"]!.slice();
      late.update(example, 3);
      return distance(late.state().tensors["layer.weight"]!, weightBefore);
    });
    expect(stopped).toBe(0);
    expect(moving).toBeGreaterThan(0);
  });

  it("shows its generator the network's input: as the first layer its own, later the one that travels along", () => {
    const generator = { ...adam(0.02), evidence: ["input"] } as const;
    const seeing = { networkInputWidth: 4, learning: learningOf({ generator }) };
    const example = exampleOf(0);
    const networkInput = drawn(rows * 4, 90);
    const [first, second] = [layerOf({ ...seeing, layer: 1 }), layerOf(seeing)];
    expect(first.evidence(example, example.input).input).toBe(example.input);
    expect(second.evidence({ ...example, networkInput }, example.input).input).toBe(networkInput);
    expect(() => second.update(example, 0)).toThrow("Cannot guess a gradient: the evidence has no input");
    expect(layerOf().evidence({ ...example, networkInput }, example.input).input).toBeUndefined();
  });

  it("saves the product nobody wants", () => {
    expect(layerOf({ wantInputGradient: false }).update(exampleOf(0), 0).inputGradient).toBeUndefined();
  });
});
