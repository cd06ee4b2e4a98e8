import { afterEach, describe, expect, it, vi } from "vitest";
import type { MetricLine } from "../../../shared/record/lines.ts";
import { standing } from "../../../shared/record/standing.ts";
import type { Command } from "../../../shared/telemetry/messages.ts";
import { PendingLines } from "../../../shared/telemetry/pending-lines.ts";
import { configOf, type Scenario } from "../../sim/scenario.ts";
import { Simulation } from "../../sim/simulation.ts";
import { simulatedRandom } from "../../sim/world/event-queue.ts";
import { SimulatedHub } from "../../sim/world/simulated-hub.ts";

const BATCHES = 150;
const scenario: Scenario = {
  layers: 3,
  batches: BATCHES,
  window: 4,
  evaluateEvery: 20,
  checkpointEvery: 10,
  stalenessBudget: 64,
  method: "cdni",
  faultsMs: 0,
};
const LAYERS = ["layer1", "layer2", "layer3"];

afterEach(() => vi.restoreAllMocks());

interface Troubles {
  readonly kills?: readonly (readonly [atMs: number, layer: number])[];
  readonly away?: readonly (readonly [fromMs: number, toMs: number])[];
}

function newSimulation(seed: number): Simulation {
  return new Simulation(configOf(scenario), simulatedRandom(seed), (queue) => new SimulatedHub(queue));
}

async function run(seed: number, { kills = [], away = [] }: Troubles): Promise<Simulation> {
  const simulation = newSimulation(seed);
  for (const [atMs, layer] of kills)
    simulation.queue.after(atMs, () => simulation.kill(simulation.posts[layer]!));
  for (const [fromMs, toMs] of away) simulation.hub!.awayBetween(fromMs, toMs);
  await simulation.run(100_000);
  expect(simulation.violations).toEqual([]);
  return simulation;
}

/** What is wrong with this worker's curve: holes in it, and batches that are in it twice. */
function faultsOf(lines: readonly MetricLine[], worker: string): string[] {
  const said = Array.from({ length: BATCHES }, () => 0);
  for (const line of lines)
    if (line.kind === "segment" && line.worker === worker)
      for (let batch = line.first; batch <= line.last; batch++) said[batch]! += 1;
  return said.flatMap((times, batch) => (times === 1 ? [] : [`${worker} says ${batch} ${times} times`]));
}

function faults({ hub }: Simulation): string[] {
  const lines = standing(hub!.record).lines();
  return LAYERS.flatMap((worker) => faultsOf(lines, worker));
}

function evaluated({ hub }: Simulation): number[] {
  return standing(hub!.record).evaluations.map(({ batch }) => batch);
}

const everyTwenty = [20, 40, 60, 80, 100, 120, 140, 150];
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const troubles: Troubles = {
  kills: [
    [150, 2],
    [260, 3],
    [300, 1],
  ],
  away: [
    [100, 200],
    [230, 400],
  ],
};

describe("the record of a run", () => {
  it("holds every batch of every layer once, and every evaluation", async () => {
    const simulation = await run(1, {});
    expect(faults(simulation)).toEqual([]);
    expect(evaluated(simulation)).toEqual(everyTwenty);
    expect(faultsOf(standing(simulation.hub!.record).lines(), "source")).toEqual([]);
    expect(simulation.hub!.goodbyes.toSorted()).toEqual([...LAYERS, "source"]);
  });

  it.each(seeds)("does so with kills while the hub is away (seed %i)", async (seed) => {
    const simulation = await run(seed, troubles);
    expect(simulation.counts.restored).toBeGreaterThan(1);
    expect(faults(simulation)).toEqual([]);
    expect(evaluated(simulation)).toEqual(everyTwenty);
  });

  it("control: has holes where checkpoints do not note what nobody has heard", async () => {
    vi.spyOn(PendingLines.prototype, "notes").mockReturnValue(undefined);
    const holes = await Promise.all(seeds.map(async (seed) => faults(await run(seed, troubles))));
    expect(holes.flat()).toContainEqual(expect.stringMatching(/says \d+ 0 times/));
  });

  it("control: has batches twice as it lies", async () => {
    const { hub } = await run(1, troubles);
    const lines = hub!.record.filter((line) => line.kind !== "event");
    expect(LAYERS.flatMap((worker) => faultsOf(lines, worker))).toContainEqual(
      expect.stringMatching(/says \d+ 2 times/),
    );
  });

  it("tells the story of a death", async () => {
    const { hub } = await run(1, { kills: [[150, 2]] });
    const events = hub!.record.flatMap((line) => (line.kind === "event" ? [line] : []));
    const told = (worker: string) =>
      events.filter((event) => event.worker === worker).map(({ name }) => name);
    expect(told("layer2")).toEqual(["began", "linked", "linked", "restored", "linked", "linked", "finished"]);
    expect(told("layer1")).toContain("lost");
    expect(told("layer3")).toContain("lost");
    expect(told("source")[0]).toBe("began");
  });
});

describe("a worker that obeys the hub", () => {
  /** One command at 137 ms, between two checkpoints. */
  async function told(worker: string, command: Command, refusal?: string): Promise<Simulation> {
    const simulation = newSimulation(1);
    simulation.queue.after(137, () => simulation.hub!.tell(worker, command, refusal));
    await simulation.run(100_000);
    expect(simulation.violations).toEqual([]);
    expect(faults(simulation)).toEqual([]);
    return simulation;
  }

  it.each(["layer2", "source"])(
    "pauses until it is told to go on, and keeps its links (%s)",
    async (worker) => {
      const simulation = newSimulation(1);
      const applied: (number | undefined)[] = [];
      simulation.queue.after(150, () => simulation.hub!.tell(worker, "pause"));
      for (const ms of [400, 5000]) simulation.queue.after(ms, () => applied.push(simulation.counts.applied));
      simulation.queue.after(5001, () => simulation.hub!.tell(worker, "resume"));
      await simulation.run(100_000);
      expect(simulation.violations).toEqual([]);
      expect(applied[0]).toBeGreaterThan(0);
      expect(applied[1]).toBe(applied[0]);
      expect(simulation.counts["lost successor"]).toBeUndefined();
      expect(faults(simulation)).toEqual([]);
    },
  );

  it("crashes without a word", async () => {
    const { counts, hub } = await told("layer2", "kill");
    expect(counts["exit 1"]).toBe(1);
    const words = hub!.record.flatMap((line) => (line.kind === "event" ? [line] : []));
    expect(words.filter(({ worker, name }) => worker === "layer2" && name === "stopped")).toEqual([]);
  });

  it.each(["layer2", "source"])("saves and asks to be started again (%s)", async (worker) => {
    const { counts, hub } = await told(worker, "restart");
    expect(counts["exit 75"]).toBe(1);
    expect(hub!.introductions.filter((each) => each.worker === worker)).toHaveLength(2);
    expect(hub!.goodbyes).toContain(worker);
  });

  it("saves at once", async () => {
    // By itself it saves every ten batches.
    const between = ({ story }: Simulation) =>
      story.filter((line) => / layer2\/1 checkpoint /.test(line) && !/"batch":\d*9,/.test(line));
    const simulation = newSimulation(1);
    // One of them may come while it saves anyway.
    for (const ms of [120, 133, 146])
      simulation.queue.after(ms, () => simulation.hub!.tell("layer2", "checkpoint"));
    await simulation.run(100_000);
    expect(simulation.violations).toEqual([]);
    expect(between(simulation).length).toBeGreaterThan(0);
    expect(between(await run(1, {}))).toEqual([]);
  });

  it("does not do what it must not", async () => {
    const { counts } = await told("layer2", "kill", "it has no proof");
    expect(counts["refused a command"]).toBe(1);
    expect(counts["exit 1"]).toBeUndefined();
  });
});
