import { afterEach, expect, it } from "vitest";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { Experiment } from "../support/experiment.ts";
import { seeded } from "../support/seeded.ts";

const MNIST = "configs/mnist.yaml";
const set = [
  ...["run.batches=1000", "run.checkpointEvery=50", "run.evaluateEvery=500"],
  ...["delivery.schedule={staleness: 4}", "compute.kernels=wasm"],
];
/** In all; by hand KILLS=1000. */
const KILLS = Number(process.env.KILLS ?? 40);
const workers = ["source", "layer1", "layer2", "layer3", "layer4"];

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
    await experiment.until("layer4", ({ msg }) => msg === "training");
    let isOver = false;
    void experiment.ended.then(() => {
      isOver = true;
    });
    let kills = 0;
    while (!isOver && kills < 20) {
      const victims = random() < 0.6 ? [pick(random)] : workers.filter(() => random() < 0.5);
      for (const victim of victims) kills += kill(experiment, victim);
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 1500));
    }
    const { digests } = runOutcome(await experiment.summary());
    killed += kills;
    const inexact = workers.flatMap((name) =>
      experiment.log(name).filter(({ msg }) => msg.includes("trace")),
    );
    console.log(`run ${run}: ${kills} kills, ${digests.map((digest) => digest.slice(0, 8)).join(" ")}`);
    expect(inexact).toEqual([]);
    expect(digests, `run ${run}`).toEqual(expected.digests);
  }
});

function pick(random: () => number): string {
  return workers[Math.floor(random() * workers.length)]!;
}

/** How many died of it: one that died just now may not have been started again. */
function kill(experiment: Experiment, worker: string): number {
  try {
    process.kill(experiment.pid(worker), "SIGKILL");
    return 1;
  } catch {
    return 0;
  }
}
