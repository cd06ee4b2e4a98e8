import { describe, expect, it } from "vitest";
import type { Summary } from "../../shared/record/summary.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { Experiment } from "../support/processes/experiment.ts";

const MNIST = "configs/mnist.yaml";
const ADDITION = "configs/binary-addition.yaml";
const SEEDS = [1, 2, 3];

describe("handwritten digits over processes, five epochs, gradients as they come", () => {
  it.each(SEEDS)("are told apart but for 22 in 1,000 or fewer, seed %i", async (seed) => {
    const { test, config } = await outcomeOf(MNIST, [`seed=${seed}`]);
    expect(config).toMatchObject({ learning: { method: "cdni" }, delivery: { schedule: "free" } });
    expect(test.error).toBeLessThanOrEqual(0.022);
  });

  it("are told apart far worse when the generators never learn", async () => {
    const { test } = await outcomeOf(MNIST, ["seed=1", "learning.method=frozen"]);
    expect(test.error).toBeGreaterThanOrEqual(0.06);
  });

  it("are learnt by backprop as in one process, bit for bit", async () => {
    const set = ["seed=1", "learning.method=backprop", "learning.layer.rate=0.001"];
    const [found, expected] = await Promise.all([outcomeOf(MNIST, set), chainOutcome(MNIST, set)]);
    console.log(`${MNIST} ${set.join(" ")}: error ${expected.test.error} in one process`);
    expect(found.test.error).toBeLessThanOrEqual(0.022);
    expect(Math.abs(found.test.error - expected.test.error)).toBeLessThanOrEqual(0.003);
    expect(runOutcome(found)).toEqual(expected);
  });
});

describe("sums of two numbers of 8 bits over processes, 4,000 batches of 256", () => {
  it.each(SEEDS)("end exactly right for 99 in 100 held-out pairs or more, seed %i", async (seed) => {
    const { test, config } = await outcomeOf(ADDITION, [`seed=${seed}`]);
    expect(config).toMatchObject({
      learning: { method: "cdni" },
      delivery: { schedule: "free" },
      data: { bits: 8, heldOut: 2000 },
      run: { batches: 4000, batchSize: 256 },
    });
    expect(test.exact).toBeGreaterThanOrEqual(0.99);
  });

  it("do so too where activations and gradients travel in 8 bits", async () => {
    const { test, config } = await outcomeOf(ADDITION, ["seed=1", "wire.dtype=i8"]);
    expect(config).toMatchObject({ wire: { dtype: "i8" }, learning: { method: "cdni" } });
    expect(test.exact).toBeGreaterThanOrEqual(0.99);
  });

  it.each(["dni", "frozen"])("end wrong more often than right with %s", async (method) => {
    const { test } = await outcomeOf(ADDITION, ["seed=1", `learning.method=${method}`]);
    expect(test.exact).toBeLessThan(0.5);
  });
});

/** Of a run that has ended well and whose every layer has applied every batch once, in its one life. */
async function outcomeOf(config: string, set: readonly string[]): Promise<Summary> {
  const experiment = new Experiment(config, { set });
  try {
    const summary = await experiment.summary();
    const { test, batches, wallSeconds, layers } = summary;
    console.log(
      `${config} ${set.join(" ")}: ${JSON.stringify(test)}, ${batches} batches in ${wallSeconds} s`,
    );
    expect(layers.map(({ applied, restarts }) => ({ applied, restarts }))).toEqual(
      summary.config.layers.map(() => ({ applied: [[0, batches - 1]], restarts: 0 })),
    );
    return summary;
  } finally {
    await experiment.close();
  }
}
