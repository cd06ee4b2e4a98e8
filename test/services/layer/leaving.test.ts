import { expect, it } from "vitest";
import { isCheckpoint, placeOf } from "../../../shared/checkpoint/checkpoint-name.ts";
import { configOf, type Scenario } from "../../sim/scenario.ts";
import { Simulation } from "../../sim/simulation.ts";
import { simulatedRandom } from "../../sim/world/event-queue.ts";
import { STATE } from "../../sim/world/folders.ts";

const scenario: Scenario = {
  layers: 3,
  batches: 40,
  window: 4,
  evaluateEvery: 20,
  checkpointEvery: 10,
  stalenessBudget: 64,
  method: "cdni",
  faultsMs: 0,
};

/** Calls back once, a moment after the head's first checkpoint in which this stands is on its disk. */
function whenSaved(simulation: Simulation, words: string, happens: () => void): void {
  const { disk } = simulation.posts.at(-1)!;
  const renamed = disk.onRenamed;
  let isDone = false;
  disk.onRenamed = (path, bytes) => {
    renamed(path, bytes);
    if (isDone || !Buffer.from(bytes).includes(words)) return;
    isDone = true;
    simulation.queue.after(0, happens);
  };
}

/** A calm run, but that the head is killed when it has saved its end and told nobody, and is out of reach for a while. */
async function runWithHeadAway(ms: number): Promise<Simulation> {
  const simulation = new Simulation(configOf(scenario), simulatedRandom(1));
  whenSaved(simulation, '"finished":"true"', () => {
    simulation.kill(simulation.posts.at(-1)!);
    simulation.network.silence("ws://layer3:1", ms);
  });
  await simulation.run(60_000);
  return simulation;
}

it.each([20_000, 300_000])(
  "a head that is finished, started again and alone for %i ms waits: its predecessor still needs it",
  async (ms) => {
    const { violations, counts, queue } = await runWithHeadAway(ms);
    expect(violations).toEqual([]);
    expect(counts.restored).toBe(1);
    expect(queue.now).toBeGreaterThan(ms);
  },
);

it.each([...Array(20).keys()])(
  "a layer that is stopped while it trains, at random, holds in its last checkpoint all that it has learnt (seed %i)",
  async (seed) => {
    const simulation = new Simulation(configOf({ ...scenario, batches: 1000 }), simulatedRandom(seed));
    const layer = simulation.posts[2]!;
    simulation.queue.after(50 + simulation.random() * 400, () => simulation.terminate(layer));
    const hasStopped = () => layer.lives[0]?.exit !== undefined;
    await simulation.run(60_000, hasStopped);
    const [life] = layer.lives;
    const { applied } = JSON.parse(/^stopped (.*)$/.exec(life!.lastWords)![1]!);
    const saved = layer.disk
      .list(STATE)
      .filter(isCheckpoint)
      .map((name) => placeOf(name)[1]);
    expect(Math.max(-1, ...saved)).toBe(applied.at(-1)?.[1] ?? -1);
  },
);

it("a layer that nobody releases does not leave as if it were done, but asks to be started again", async () => {
  const { violations, counts, posts } = await runWithHeadAway(900_000);
  expect(violations).toEqual([]);
  expect(counts["exit 75"]).toBe(1);
  expect(posts.at(-1)!.lives.map(({ exit }) => exit)).toEqual([undefined, 75, 0]);
});

it("a head that was released and dies before it has left leaves at last, though nobody comes any more", async () => {
  const simulation = new Simulation(configOf(scenario), simulatedRandom(1));
  const head = simulation.posts.at(-1)!;
  whenSaved(simulation, '\\"released\\"', () => simulation.kill(head));
  const isOver = () => head.lives.length > 1 && head.lives.at(-1)!.isDone;
  await simulation.run(60_000, isOver);
  expect(simulation.violations).toEqual([]);
  expect(head.lives.at(-1)!.exit).toBe(0);
});
