import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import { LocalLayer } from "../../shared/dni/local-layer.ts";
import { buildLayer, referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { adam, classes, drawn, layerOptionsOf, learningOf, networkOf, snapshotOf } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const run = { batchSize: 16, batches: 20 };
const local = learningOf({ method: "local" });

describe("a local layer", () => {
  it.each([
    ["linear", []],
    ["with hidden layers", [5, 4]],
  ])("and its own head, %s, are a network that learns by backpropagation, bit for bit", (_, hidden) => {
    const generator = { ...local.generator, hidden, batchNorm: true };
    const alone = referenceChain(
      kernels,
      networkOf([2, 6, 2, 2], { run, learning: { ...local, generator } }),
      { staleness: 1 },
    );
    const backprop = learningOf({ method: "backprop" });
    const whole = referenceChain(kernels, networkOf([2, 6, ...hidden, 2], { run, learning: backprop }), {
      staleness: 1,
    });
    // Its hidden layers, then the last one.
    const names = [...hidden.map((_, index) => `auxiliary.hidden${index + 1}`), "auxiliary"];
    const head = () => names.map((name) => renamed(snapshotOf(alone.layers[0]!).tensors, name, "layer"));
    for (const [index, tensors] of head().entries()) {
      const layer = whole.layers[index + 1]!;
      const { tensors: own, ...rest } = snapshotOf(layer);
      layer.restore({ ...rest, tensors: { ...own, ...tensors } });
    }
    for (const batch of range(run.batches))
      for (const chain of [alone, whole]) chain.train(twoRings(1, batch, 16), batch);
    expect(alone.layers[0]!.state().tensors).toMatchObject(whole.layers[0]!.state().tensors);
    for (const [index, tensors] of head().entries())
      expect(whole.layers[index + 1]!.state().tensors).toMatchObject(tensors);
  });

  it("answers a predecessor that learns from gradients, and one that is local with nothing", () => {
    const of = (methods: readonly ("cdni" | "local")[]): NetworkOptions => {
      const network = networkOf([2, 6, 5, 2], { run, learning: local });
      return {
        ...network,
        layers: network.layers.map((layer, i) => ({ ...layer, ...(methods[i] && { method: methods[i] }) })),
      };
    };
    const example = { rows: 4, input: drawn(24, 1), labels: classes(4, 2) };
    const answerOf = (network: NetworkOptions) =>
      (buildLayer(kernels, network, 2) as LocalLayer).rehearse(example);
    expect(answerOf(of(["local", "local"])).inputGradient).toBeUndefined();
    expect(answerOf(of(["cdni", "local"])).inputGradient!.some((x) => x !== 0)).toBe(true);
  });

  it.each([[[]], [[5]]])(
    "goes on from its state as if nothing had happened, and rehearses without a trace: %j",
    (hidden) => {
      const learning = { ...local, layer: adam(0.01), generator: { ...local.generator, hidden } };
      const build = () => new LocalLayer(kernels, layerOptionsOf({ learning }));
      const [one, other] = [build(), build()];
      const example = { rows: 8, input: drawn(32, 1), labels: classes(8, 2) };
      for (const batch of range(3)) one.update(example, batch);
      const saved = snapshotOf(one);
      other.restore(saved);
      one.rehearse(example);
      expect(snapshotOf(one)).toEqual(saved);
      for (const layer of [one, other]) layer.update(example, 3);
      expect(snapshotOf(other)).toEqual(snapshotOf(one));
      expect(snapshotOf(one)).not.toEqual(saved);
    },
  );
});

/** Those of `from`, without the parts it has, by other names; no running statistics, which such a head does not keep. */
function renamed(tensors: Readonly<Record<string, Float32Array>>, from: string, to: string) {
  const found = Object.entries(tensors).flatMap(([name, tensor]) => {
    const own = name.startsWith(`${from}.`) ? name.slice(from.length + 1) : ".";
    return own.includes(".") || own.startsWith("running") ? [] : [[`${to}.${own}`, tensor] as const];
  });
  return Object.fromEntries(found);
}
