import { describe, expect, it } from "vitest";
import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import type { GeneratorHealth } from "../../shared/dni/generators/generator-health.ts";
import { referenceChain, trueGradientProbe } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, range } from "../math/double-oracle.ts";
import { networkOf } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const run = { batchSize: 16, batches: 40 };
const network = networkOf([2, 6, 5, 2], { run });
const nextBatch = () => twoRings(1, run.batches, 16);

function trained(onHealth: (layer: number, batch: number, health: GeneratorHealth) => void = () => {}) {
  const chain = referenceChain(kernels, network, { staleness: 1, onHealth });
  for (const batch of range(run.batches)) chain.train(twoRings(1, batch, 16), batch);
  return chain;
}

describe("a probe of the true gradient", () => {
  it("says of the last hidden layer what it finds itself, for it alone hears the true gradient", () => {
    const told = new Map<string, GeneratorHealth>();
    const chain = trained((layer, batch, health) => told.set(`${layer} ${batch}`, health));
    chain.drain();
    const seen = trueGradientProbe(kernels, network, chain.layers).look(nextBatch());
    chain.train(nextBatch(), run.batches);
    chain.drain();
    expect(seen.map(({ layer }) => layer)).toEqual([1, 2]);
    expect(seen[1]!.health).toEqual(told.get(`2 ${run.batches}`));
    // Layer 1 hears only what layer 2 guesses.
    expect(seen[0]!.health).not.toEqual(told.get(`1 ${run.batches}`));
  });

  it("sees the slope of the loss of the whole network, by central differences", () => {
    // Without a nonlinearity, what is added to layer 1's bias is added to its output.
    const layers = network.layers.map((layer, index) => ({
      ...layer,
      batchNorm: false,
      nonlinearity: index === 0 ? ("identity" as const) : layer.nonlinearity,
    }));
    const chain = referenceChain(kernels, { ...network, layers }, { staleness: 1 });
    const one: ChainBatch = twoRings(3, 0, 1);
    const [seen] = trueGradientProbe(kernels, { ...network, layers }, chain.layers).look(one);
    const bias = chain.layers[0]!.state().tensors["layer.bias"]!;
    const values = Array.from(bias);
    const loss = () => {
      bias.set(values);
      return chain.evaluate([one]).loss;
    };
    const slope = centralDifferences(loss, values, 1e-3);
    const squared = slope.reduce((sum, each) => sum + each * each, 0);
    expect(squared).toBeGreaterThan(1e-4);
    expect(seen!.health.squaredTarget / squared).toBeCloseTo(1, 2);
  });

  it("finds that who guesses zero is as wrong as who guesses nothing", () => {
    const chain = referenceChain(kernels, network, { staleness: 1 });
    for (const { health } of trueGradientProbe(kernels, network, chain.layers).look(nextBatch())) {
      expect(health.squaredTarget).toBeGreaterThan(0);
      expect(health.squaredError).toBe(health.squaredTarget);
      expect(health.cosine).toBe(0);
    }
  });

  it("changes nothing of what it looks at", () => {
    const chain = trained();
    const before = structuredClone(chain.layers.map((layer) => layer.state()));
    trueGradientProbe(kernels, network, chain.layers).look(nextBatch());
    expect(chain.layers.map((layer) => layer.state())).toEqual(before);
  });

  it("passes over layers that guess nothing", () => {
    const layers = network.layers.map((layer, index) =>
      index === 0 ? { ...layer, method: "local" as const } : layer,
    );
    const chain = referenceChain(kernels, { ...network, layers }, { staleness: 1 });
    const seen = trueGradientProbe(kernels, { ...network, layers }, chain.layers).look(nextBatch());
    expect(seen.map(({ layer }) => layer)).toEqual([2]);
  });
});
