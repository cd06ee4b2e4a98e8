import { describe, expect, it } from "vitest";
import { buildLayer, type NetworkOptions } from "../../shared/dni/build-layer.ts";
import { LocalLayer } from "../../shared/dni/local-layer.ts";
import { ReferenceChain } from "../../shared/dni/reference-chain.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { adam, drawn, layerOptionsOf, learningOf, networkOf, oneHot, snapshotOf } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const run = { batchSize: 16, batches: 20 };
const local = learningOf({ method: "local" });

describe("a local layer", () => {
  it("and its own head are a network of two layers that learns by backpropagation, bit for bit", () => {
    const alone = new ReferenceChain(kernels, networkOf([2, 6, 2, 2], { run, learning: local }), {
      staleness: 1,
    });
    const backprop = learningOf({ method: "backprop" });
    const pair = new ReferenceChain(kernels, networkOf([2, 6, 2], { run, learning: backprop }), {
      staleness: 1,
    });
    const auxiliary = renamed(snapshotOf(alone.layers[0]!).tensors, "auxiliary", "layer");
    pair.layers[1]!.restore({
      ...pair.layers[1]!.state(),
      tensors: { ...pair.layers[1]!.state().tensors, ...auxiliary },
    });
    for (const batch of range(run.batches))
      for (const chain of [alone, pair]) chain.train(twoRings(1, batch, 16), batch);
    const [found, expected] = [alone, pair].map((chain) => chain.layers[0]!.state().tensors);
    expect(found).toMatchObject(expected!);
    expect(renamed(found!, "auxiliary", "layer")).toMatchObject(
      onlyOf(pair.layers[1]!.state().tensors, "layer"),
    );
  });

  it("answers a predecessor that learns from gradients, and one that is local with nothing", () => {
    const of = (methods: readonly ("cdni" | "local")[]): NetworkOptions => {
      const network = networkOf([2, 6, 5, 2], { run, learning: local });
      return {
        ...network,
        layers: network.layers.map((layer, i) => ({ ...layer, ...(methods[i] && { method: methods[i] }) })),
      };
    };
    const example = { rows: 4, input: drawn(24, 1), labels: oneHot(4, 2) };
    const answerOf = (network: NetworkOptions) =>
      (buildLayer(kernels, network, 2) as LocalLayer).rehearse(example);
    expect(answerOf(of(["local", "local"])).inputGradient).toBeUndefined();
    expect(answerOf(of(["cdni", "local"])).inputGradient!.some((x) => x !== 0)).toBe(true);
  });

  it("goes on from its state as if nothing had happened, and rehearses without a trace", () => {
    const build = () =>
      new LocalLayer(kernels, layerOptionsOf({ learning: { ...local, layer: adam(0.01) } }));
    const [one, other] = [build(), build()];
    const example = { rows: 8, input: drawn(32, 1), labels: oneHot(8, 2) };
    for (const batch of range(3)) one.update(example, batch);
    const saved = snapshotOf(one);
    other.restore(saved);
    one.rehearse(example);
    expect(snapshotOf(one)).toEqual(saved);
    for (const layer of [one, other]) layer.update(example, 3);
    expect(snapshotOf(other)).toEqual(snapshotOf(one));
    expect(snapshotOf(one)).not.toEqual(saved);
  });
});

function onlyOf(tensors: Readonly<Record<string, Float32Array>>, prefix: string) {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}.`)));
}

function renamed(tensors: Readonly<Record<string, Float32Array>>, from: string, to: string) {
  const found = Object.entries(onlyOf(tensors, from)).map(([name, tensor]) => [
    name.replace(from, to),
    tensor,
  ]);
  return Object.fromEntries(found) as Record<string, Float32Array>;
}
