import { afterEach, expect, it } from "vitest";
import { RunRecord } from "../../shared/record/run-record.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { Experiment } from "../support/processes/experiment.ts";
import { inexact, killWhileItRuns, restarts } from "../support/processes/kills.ts";
import { seeded } from "../support/seeded.ts";

const MNIST = "configs/mnist.yaml";
const set = [
  ...["run.batches=1000", "run.checkpointEvery=50", "run.evaluateEvery=500"],
  "delivery.schedule={staleness: 4}",
];
/** In all; by hand KILLS=1000. */
const KILLS = Number(process.env.KILLS ?? 40);

const opened: Experiment[] = [];
afterEach(async () => {
  for (const experiment of opened.splice(0)) await experiment.close();
});

it(`a pinned run whose workers are killed, ${KILLS} in all, has the weights of an undisturbed one`, {
  timeout: 60_000 + KILLS * 10_000,
}, async () => {
  const expected = await chainOutcome(MNIST, set);
  const random = seeded(7);
  let killed = 0;
  for (let run = 1; killed < KILLS; run++) {
    const experiment = new Experiment(MNIST, { set });
    opened.push(experiment);
    const kills = await killWhileItRuns(experiment, random, 20);
    const { digests } = runOutcome(await experiment.summary());
    killed += kills;
    console.log(`run ${run}: ${kills} kills, ${digests.map((digest) => digest.slice(0, 8)).join(" ")}`);
    expect(inexact(experiment)).toEqual([]);
    const { deaths, events } = RunRecord.read(experiment.folder);
    // Of a kill at the very end nobody is started again to tell.
    if (restarts(experiment) > 0)
      expect(deaths, `run ${run}: ${JSON.stringify(events.slice(-20))}`).toMatch(
        /^[1-9]\d* deaths?, no trace$/,
      );
    expect(digests, `run ${run}`).toEqual(expected.digests);
  }
});
