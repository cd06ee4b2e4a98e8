import { describe, expect, it } from "vitest";
import { chainDigests, digestsOf } from "./digests.ts";
import { simulatedRandom } from "./event-queue.ts";
import { type FaultClass, faultClasses, tracesOf } from "./no-trace.ts";
import { configOf, type Scenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";

/** The long tier is in simulation.slow.test.ts. */
const SEEDS = 10;

describe("a pinned run ends with the weights of one that nothing happened to, bit for bit, whatever dies", () => {
  it.each(Object.keys(faultClasses) as FaultClass[])("%s", { timeout: 120_000 }, async (faults) => {
    let killed = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { troubles, simulation } = await tracesOf(seed, faults);
      expect(troubles).toEqual([]);
      killed += simulation.counts.lives! - simulation.posts.length;
    }
    expect(killed).toBeGreaterThan(SEEDS);
  });
});

describe("one layer of a pinned run is killed", () => {
  const scenario: Scenario = {
    ...{ layers: 4, batches: 100, window: 4, evaluateEvery: 50, checkpointEvery: 20, stalenessBudget: 64 },
    ...{ method: "cdni", staleness: 2, faultsMs: 0, snapshotEvery: 0 },
  };

  it.each([1, 2, 3, 4])("and nobody else computes a batch again (layer %i)", async (victim) => {
    const simulation = new Simulation(configOf(scenario), simulatedRandom(victim));
    const post = simulation.posts[victim]!;
    const applied = (layer: number) => simulation.counts[`applied by layer${layer}`] ?? 0;
    await simulation.run(20_000, () => applied(victim) > 50);
    simulation.kill(post);
    await simulation.run(20_000);
    expect(simulation.violations).toEqual([]);
    expect(digestsOf(simulation)).toEqual(await chainDigests(configOf(scenario), 2));
    expect(applied(victim)).toBeGreaterThan(scenario.batches);
    for (const layer of [1, 2, 3, 4])
      if (layer !== victim) expect(applied(layer), `layer ${layer}`).toBe(scenario.batches);
    expect(simulation.counts["going back"]).toBeUndefined();
  });

  it.each([2, 3, 4])("and only the one before it sends anything again (layer %i)", async (victim) => {
    const config = configOf({ ...scenario, layers: 5, evaluateEvery: 1000 });
    const simulation = new Simulation(config, simulatedRandom(victim));
    const post = simulation.posts[victim]!;
    await simulation.run(20_000, () => (simulation.counts[`applied by layer${victim}`] ?? 0) > 50);
    simulation.kill(post);
    await simulation.run(20_000);
    expect(simulation.violations).toEqual([]);
    expect(digestsOf(simulation)).toEqual(await chainDigests(config, 2));
    expect(simulation.story.filter((line) => line.includes("rewound"))).toEqual([]);
    const again = Object.keys(simulation.counts).filter((what) => what.startsWith("sent again by "));
    expect(again).toEqual([`sent again by layer${victim - 1}`]);
  });
});
