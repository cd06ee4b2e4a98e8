import { describe, expect, it } from "vitest";
import { newestOn } from "./checks/whole-checkpoints.ts";
import { chainDigests, digestsOf } from "./digests.ts";
import {
  type FaultClass,
  type FreeFaultClass,
  faultClasses,
  freeFaultClasses,
  freeScenarioOf,
  freeTracesOf,
  tracesOf,
  untroubled,
} from "./no-trace.ts";
import { configOf, type Scenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";
import { simulatedRandom } from "./world/event-queue.ts";

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

it.each([1, 2, 3])(
  "a part of an evaluation that is doubled on its way to layer %i leaves no trace",
  async (layer) => {
    const config = configOf({
      ...{ layers: 3, batches: 60, window: 4, evaluateEvery: 10, checkpointEvery: 20, stalenessBudget: 64 },
      ...{ method: "cdni", staleness: 3, faultsMs: 0, snapshotEvery: 0 },
    });
    const simulation = new Simulation(config, simulatedRandom(layer));
    await simulation.run(20_000, () => (simulation.counts["applied by layer3"] ?? 0) > 15);
    const links = [...simulation.network.connections].filter(
      ({ ends }) => ends[1].life.name === `layer${layer}`,
    );
    expect(links).toHaveLength(1);
    let doubled = 0;
    // Behind the last part comes the batch of the same number.
    links[0]!.tamperWith = (frame) => {
      const { part = 0, parts = 0 } = (frame.kind === "activation" && frame.evaluation) || {};
      if (doubled > 0 || part !== parts - 1) return [frame];
      doubled += 1;
      links[0]!.isTamperedWith = true;
      return [frame, frame];
    };
    await simulation.run(20_000);
    expect(doubled).toBe(1);
    expect(simulation.violations).toEqual([]);
    expect(digestsOf(simulation)).toEqual(await chainDigests(config, 3));
  },
);

describe("a free run has the weights that its layers' orders come to in one process, whatever dies", () => {
  it.each(Object.keys(freeFaultClasses) as FreeFaultClass[])("%s", { timeout: 120_000 }, async (faults) => {
    let killed = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { troubles, simulation } = await freeTracesOf(seed, faults);
      expect(troubles).toEqual([]);
      killed += simulation.counts.lives! - simulation.posts.length;
    }
    expect(killed).toBeGreaterThan(SEEDS);
  });
});

describe("layers of a free run that learn from no target", () => {
  it.each(Object.keys(freeFaultClasses) as FreeFaultClass[])("leave no trace either: %s", async (faults) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { lockedLayer: _, ...drawn } = freeScenarioOf(seed);
      const scenario: Scenario = {
        ...{ ...drawn, layers: 3, batches: 400, window: 4, checkpointEvery: 50, stalenessBudget: 16 },
        ...{ method: "local", faultsMs: 8000, snapshotEvery: 0 },
      };
      expect((await freeTracesOf(seed, faults, scenario)).troubles).toEqual([]);
    }
  });
});

describe("a checkpoint of a free run", () => {
  const scenario: Scenario = {
    ...{ layers: 4, batches: 120, window: 4, evaluateEvery: 1000, checkpointEvery: 20 },
    ...{ stalenessBudget: 64, method: "cdni", lockedLayer: 2, faultsMs: 0 },
  };

  it.each([
    ["the head", 4],
    ["a locked layer", 2],
  ])("of %s, which hears no targets, holds what it sent of two windows", async (_, layer) => {
    const simulation = new Simulation(configOf(scenario), simulatedRandom(1));
    await simulation.run(60_000, () => simulation.counts[`applied by layer${layer}`] === 115);
    const { cursor, frames = {} } = newestOn(simulation.posts[layer]!.disk)!;
    const kept = new Set(Object.keys(frames).flatMap((name) => /^sent\.(\d+)\./.exec(name)?.[1] ?? []));
    expect(cursor).toBe(99);
    expect([...kept].map(Number).sort((a, b) => a - b)).toEqual([92, 93, 94, 95, 96, 97, 98, 99]);
  });
});

describe("one layer of a free run is killed", () => {
  const scenario: Scenario = {
    ...{ layers: 5, batches: 120, window: 4, evaluateEvery: 1000, checkpointEvery: 20 },
    ...{ stalenessBudget: 16, method: "cdni", faultsMs: 0 },
  };

  it.each([1, 2, 3, 4, 5])("and nobody else computes a batch again (layer %i)", async (victim) => {
    const simulation = new Simulation(configOf(scenario), simulatedRandom(victim));
    const applied = (layer: number) => simulation.counts[`applied by layer${layer}`] ?? 0;
    await simulation.run(20_000, () => applied(victim) > 50);
    simulation.kill(simulation.posts[victim]!);
    await simulation.run(60_000);
    expect(simulation.violations).toEqual([]);
    expect(digestsOf(simulation)).toEqual(await untroubled(simulation, scenario));
    for (const layer of [1, 2, 3, 4, 5])
      if (layer !== victim) expect(applied(layer), `layer ${layer}`).toBe(scenario.batches);
    expect(applied(victim)).toBeGreaterThan(scenario.batches);
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

  it.each([2, 3, 4])(
    "and only the one before it and its new life send anything again (layer %i)",
    async (victim) => {
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
      expect(again.sort()).toEqual([`sent again by layer${victim - 1}`, `sent again by layer${victim}`]);
    },
  );
});
