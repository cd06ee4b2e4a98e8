import { describe, expect, it } from "vitest";
import type { LayerOptions } from "../../shared/dni/layer-options.ts";
import { LockedLayer } from "../../shared/dni/locked-layer.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { classes, drawn, layerOptionsOf, snapshotOf } from "./network.ts";

const kernels = plainKernels();
const rows = 6;
const outputGradient = drawn(rows * 3, 60);

function layerOf(change: Partial<LayerOptions> = {}): LockedLayer {
  return new LockedLayer(kernels, layerOptionsOf(change));
}

function exampleOf(batch: number) {
  return { rows, input: drawn(rows * 4, batch), labels: classes(rows, 2) };
}

function train(layer: LockedLayer, from: number, to: number): void {
  for (const batch of range(to - from).map((i) => from + i)) {
    layer.forward(exampleOf(batch));
    layer.backward(outputGradient, rows, batch);
  }
}

describe("a locked layer", () => {
  it("changes nothing until the gradient comes", () => {
    const layer = layerOf();
    const before = snapshotOf(layer);
    layer.forward(exampleOf(0));
    expect(layer.state()).toEqual(before);
    layer.backward(outputGradient, rows, 0);
    for (const name of ["layer.weight", "layer.runningMean"]) {
      expect(layer.state().tensors[name]).not.toEqual(before.tensors[name]);
    }
  });

  it("waits undisturbed while its caller's array carries an evaluation", () => {
    const [calm, disturbed] = [layerOf(), layerOf()];
    calm.forward(exampleOf(0));
    const example = exampleOf(0);
    disturbed.forward(example);
    example.input.set(drawn(rows * 4, 70));
    disturbed.evaluate(example);
    expect(disturbed.backward(outputGradient, rows, 0)).toEqual(calm.backward(outputGradient, rows, 0));
    expect(disturbed.state()).toEqual(calm.state());
  });

  it("answers a rehearsal as it would answer the backward, and changes no state", () => {
    const layer = layerOf();
    train(layer, 0, 3);
    const before = snapshotOf(layer);
    layer.forward(exampleOf(3));
    const rehearsed = layer.rehearseBackward(outputGradient, rows)!.slice();
    expect(layer.state()).toEqual(before);
    expect(layer.backward(outputGradient, rows, 3)).toEqual(rehearsed);
    expect(layer.state()).not.toEqual(before);
  });

  it("restores a snapshot and continues bit for bit", () => {
    const [lived, restarted] = [layerOf(), layerOf({ seed: 9 })];
    train(lived, 0, 5);
    restarted.restore(snapshotOf(lived));
    train(lived, 5, 8);
    train(restarted, 5, 8);
    expect(restarted.state()).toEqual(lived.state());
  });

  it("refuses a gradient for a batch it has not seen", () => {
    expect(() => layerOf().backward(outputGradient, rows, 0)).toThrow("6 rows, the last forward had none");
  });
});
