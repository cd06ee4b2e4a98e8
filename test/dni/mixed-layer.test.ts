import { describe, expect, it } from "vitest";
import type { LearningOptions } from "../../shared/dni/layer-options.ts";
import type { LockedLayer } from "../../shared/dni/locked-layer.ts";
import { MixedLayer } from "../../shared/dni/mixed-layer.ts";
import { buildLayer, referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { distance, range } from "../math/double-oracle.ts";
import { classes, drawn, layerOptionsOf, learningOf, networkOf, sgd, snapshotOf } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const run = { batchSize: 16, batches: 12 };

function trained(learning: Partial<LearningOptions>) {
  const network = networkOf([2, 6, 5, 2], { run, learning: learningOf(learning) });
  const chain = referenceChain(kernels, network, { staleness: 1 });
  for (const batch of range(run.batches)) chain.train(twoRings(1, batch, 16), batch);
  return chain.layers.map((layer) => layer.state().tensors);
}

describe("a layer that mixes", () => {
  it("is, with nothing but the target, a layer of backpropagation, bit for bit", () => {
    const mixed = trained({ mixture: 1 });
    const locked = trained({ method: "backprop" });
    for (const [index, tensors] of locked.entries()) expect(mixed[index]).toMatchObject(tensors);
    expect(trained({ mixture: 0.5 })[0]).not.toMatchObject(locked[0]!);
  });

  it("follows its share of the target and the rest of its guess, and sends that back", () => {
    const learning = learningOf({ mixture: 0.25, layer: sgd(0.1) });
    const layer = new MixedLayer(kernels, layerOptionsOf({ learning }));
    const twin = buildLayer(kernels, twinNetwork(), 2) as LockedLayer;
    const example = { rows: 8, input: drawn(32, 1), labels: classes(8, 2) };
    const target = drawn(24, 2);
    layer.state().tensors["generator.bias"]!.fill(3);
    twin.restore(layer.state());
    layer.forward(example);
    twin.forward(example);
    const mixed = target.map((t) => 0.25 * t + 0.75 * 3);
    const expected = twin.backward(mixed, 8, 0)!.slice();
    expect(distance(layer.backward(target, 8, 0)!, Array.from(expected))).toBeLessThan(1e-6);
    expect(
      distance(layer.state().tensors["layer.weight"]!, twin.state().tensors["layer.weight"]!),
    ).toBeLessThan(1e-6);
    expect(layer.health!.squaredError).toBeGreaterThan(0);
  });

  it("goes on from its state as if nothing had happened, and rehearses without a trace", () => {
    const build = () => new MixedLayer(kernels, layerOptionsOf({ learning: learningOf({ mixture: 0.5 }) }));
    const [one, other] = [build(), build()];
    const example = { rows: 8, input: drawn(32, 1), labels: classes(8, 2) };
    const step = (layer: MixedLayer, batch: number) => {
      layer.forward(example);
      layer.backward(drawn(24, batch), 8, batch);
    };
    for (const batch of range(3)) step(one, batch);
    const saved = snapshotOf(one);
    other.restore(saved);
    one.forward(example);
    one.rehearseBackward(drawn(24, 9), 8);
    expect(snapshotOf(one)).toEqual(saved);
    for (const layer of [one, other]) step(layer, 3);
    expect(snapshotOf(other)).toEqual(snapshotOf(one));
  });
});

/** Its second layer has the options of layerOptionsOf, and waits. */
function twinNetwork() {
  const hidden = { nonlinearity: "tanh", batchNorm: true } as const;
  return {
    seed: 1,
    layers: [
      { inputs: 4, outputs: 4, ...hidden },
      { inputs: 4, outputs: 3, ...hidden },
      { inputs: 3, outputs: 2, nonlinearity: "identity", batchNorm: false },
    ],
    loss: "softmax-cross-entropy",
    learning: learningOf({ method: "backprop", layer: sgd(0.1) }),
    run: { batchSize: 8, batches: 100 },
  } as const;
}
