import { afterEach, describe, expect, it } from "vitest";
import { expectExact } from "../support/exact.ts";
import { DirectRun } from "../support/processes/direct-run.ts";
import { Experiment, type LogLine } from "../support/processes/experiment.ts";

const MNIST = "configs/mnist.yaml";
const RINGS = "configs/two-rings.yaml";

const opened: { close(): Promise<void> }[] = [];
const closing = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing => {
  opened.push(thing);
  return thing;
};
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
});

describe("a run whose workers are killed", () => {
  it("ends by itself, each batch applied once, and as good as one that nobody disturbed", async () => {
    const killed = closing(new Experiment(MNIST));
    const beganAt = performance.now();
    await killWhen(killed, "layer2", ({ msg }) => msg === "checkpoint");
    const perEpoch = (await killed.until("layer4", ({ msg }) => msg === "evaluated")).batch!;
    await killWhen(killed, "layer2", evaluatedAt(2 * perEpoch), "layer4");
    await killWhen(killed, "source", evaluatedAt(3 * perEpoch), "layer4");
    await killWhen(killed, "layer2", evaluatedAt(4 * perEpoch), "layer4");
    const summary = await killed.summary();
    const tookKilled = performance.now() - beganAt;

    expectExact(summary);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([0, 3, 0, 0]);
    expect(summary.source.restarts).toBe(1);
    for (const untouched of ["layer1", "layer3", "layer4"]) expect(lives(killed, untouched)).toBe(1);
    expect(lives(killed, "layer2")).toBe(4);

    const startedAt = performance.now();
    const calm = await closing(new Experiment(MNIST)).summary();
    const tookCalm = performance.now() - startedAt;
    console.log(
      `MNIST: test error ${summary.test.error} after four kills in ${seconds(tookKilled)}, ${calm.test.error} undisturbed in ${seconds(tookCalm)}`,
    );
    expect(Math.abs(summary.test.error - calm.test.error)).toBeLessThan(0.004);
  });

  it.each([
    ["backprop", "learning.method=backprop"],
    ["a pinned schedule", "delivery.schedule={staleness: 4}"],
    ["guessed inputs", "learning.inputGenerator={rate: 0.01, hidden: [8]}"],
  ])("ends by itself with %s, each batch applied once", async (_, assignment) => {
    const set = ["run.batches=9000", "run.evaluateEvery=3000", assignment];
    const experiment = closing(new Experiment(RINGS, { set }));
    await killWhen(experiment, "layer2", evaluatedAt(3000), "layer3");
    const summary = await experiment.summary();
    expectExact(summary);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
    expect(lives(experiment, "layer1")).toBe(1);
    expect(lives(experiment, "layer3")).toBe(1);
  });
});

describe("a layer whose successor is away", () => {
  it.each([64, 10])(
    "goes on learning for its budget of %i batches, holds, and goes on when it is back",
    async (budget) => {
      const set = ["run.batches=6000", `delivery.stalenessBudget=${budget}`];
      const run = closing(new DirectRun(RINGS, 3, set));
      await run.startAll();
      const [layer1, layer2, layer3] = ["layer1", "layer2", "layer3"].map((name) => run.worker(name));
      await layer2!.says("checkpoint");
      layer2!.signal("SIGKILL");
      expect(await layer2!.ended).toBe(null);

      const lost = await layer1!.says("lost successor");
      const held = await layer1!.says((line) => line.msg === "holding" && isAfter(line, lost));
      const learntAlone = held.batch! - lost.batch!;
      // What was unanswered when the link broke, at most the window of 4, had been spent of the budget already.
      expect(learntAlone).toBeGreaterThanOrEqual(budget - 4);
      expect(learntAlone).toBeLessThanOrEqual(budget);
      await layer3!.says("lost predecessor");

      const again = await run.start("layer2");
      await again.says("restored");
      const goesOn = await layer1!.says((line) => line.msg === "goes on" && isAfter(line, held));
      expect(goesOn.batch).toBe(held.batch);
      const summary = await run.summary();
      expectExact(summary);
      expect(summary.layers.map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
      for (const name of ["layer1", "layer2", "layer3"]) expect(await run.worker(name).ended).toBe(0);
      for (const untouched of [layer1!, layer3!]) expect(untouched.said("started")).toHaveLength(1);
      console.log(`budget ${budget}: ${learntAlone} batches learnt alone, then held at ${held.batch}`);
    },
  );
});

/** Kills `worker` when `witness` (itself, unless said otherwise) says what is wanted. */
async function killWhen(
  experiment: Experiment,
  worker: string,
  wanted: (line: LogLine) => boolean,
  witness = worker,
): Promise<void> {
  await experiment.until(witness, wanted);
  process.kill(experiment.pid(worker), "SIGKILL");
}

function evaluatedAt(batch: number) {
  return (line: LogLine) => line.msg === "evaluated" && line.batch === batch;
}

function lives(experiment: Experiment, worker: string): number {
  return experiment.log(worker).filter(({ msg }) => msg === "started").length;
}

function isAfter(line: LogLine, earlier: LogLine): boolean {
  return line.time >= earlier.time;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
