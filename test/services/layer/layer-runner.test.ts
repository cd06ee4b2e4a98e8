import { describe, expect, it } from "vitest";
import { MOST_ROLLBACKS } from "../../../services/layer/layer-runner.ts";
import { configOf, type Scenario, simulate } from "../../sim/scenario.ts";
import { Simulation } from "../../sim/simulation.ts";
import { simulatedRandom } from "../../sim/world/event-queue.ts";

/** Pinned, so that what is learnt does not hang on who is faster. The simulator checks all that these real layers send and save. */
const scenario: Scenario = {
  layers: 3,
  batches: 60,
  window: 4,
  evaluateEvery: 20,
  checkpointEvery: 10,
  stalenessBudget: 64,
  method: "cdni",
  staleness: 1,
  faultsMs: 0,
  snapshotEvery: 10,
};

function runAt(rate: number): Promise<Simulation> {
  const { learning, ...rest } = configOf(scenario);
  const plain = { optimizer: "sgd", momentum: 0, schedule: { kind: "constant" } } as const;
  // What classifying generators say is bounded: with them numbers stay sane at rates that are mad.
  const generator = { ...learning.generator, form: "linear" } as const;
  return simulate(scenario, 1, { ...rest, learning: { ...learning, generator, layer: { ...plain, rate } } });
}

describe("a layer whose numbers run away", () => {
  it.each([1, 2, 3])("goes on from its last checkpoint, in the same process (layer %i)", async (layer) => {
    const simulation = new Simulation(configOf(scenario), simulatedRandom(1));
    simulation.poison(simulation.posts[layer]!);
    await simulation.run(20_000);
    const { violations, counts, summary } = simulation;
    expect(violations).toEqual([]);
    expect(counts["rolling back to learn more slowly"]).toBe(1);
    // What the life before had allocated is not there for this one.
    expect(counts["new memory"]).toBe(1);
    expect(counts.lives).toBe(scenario.layers + 1);
    for (const { applied } of summary!.layers) expect(applied).toEqual([[0, 59]]);
  });

  it("learns at half the rate from then on, which may be slow enough", async () => {
    const { violations, counts } = await runAt(450);
    expect(violations).toEqual([]);
    expect(counts["rolling back to learn more slowly"]).toBeGreaterThan(0);
    expect(counts["exit 70"]).toBeUndefined();
  });

  it("gives up plainly where no rate will do, having sent and saved nothing that is not finite", async () => {
    const { violations, story } = await runAt(1e30);
    expect(violations.map(({ invariant }) => invariant)).toEqual(["ends"]);
    const end = story.findIndex((line) => line.includes("exits 70: gave up: its numbers run away"));
    const speaker = story[end]!.split(/[ /]/)[1]!;
    const life = story.slice(0, end).filter((line) => line.includes(`${speaker}/`));
    expect(life.filter((line) => line.includes("to learn more slowly"))).toHaveLength(MOST_ROLLBACKS);
  });

  it("is not seen at a sane rate", async () => {
    const { violations, counts } = await runAt(0.01);
    expect(violations).toEqual([]);
    expect(counts.poisoned).toBeUndefined();
    expect(counts["new memory"]).toBeUndefined();
  });
});
