import { expect, it, onTestFinished } from "vitest";
import type { Answer } from "../../shared/record/hub-api.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { askHub, askOn } from "../support/page/asking.ts";
import { dashboardOf } from "../support/page/dashboard.ts";
import { Experiment } from "../support/processes/experiment.ts";

const CONFIG = "configs/binary-addition.yaml";
const LAYERS = ["layer1", "layer2", "layer3"];

function begin(set: readonly string[]): Experiment {
  const run = new Experiment(CONFIG, { set, options: ["--dashboard-port", "0"] });
  onTestFinished(() => run.close());
  return run;
}

const whoAnswered = (answers: readonly Answer[]) => answers.map(({ worker }) => worker).sort();

it("a pinned run that is asked questions all the time learns the same bits as in one process", async () => {
  const set = ["run.batches=1500", "delivery.schedule={staleness: 1}"];
  const run = begin(set);
  const url = await dashboardOf(run);
  let isOver = false;
  void run.ended.then(() => {
    isOver = true;
  });
  const [answered, expected] = await Promise.all([askOn(url, 8, () => isOver), chainOutcome(CONFIG, set)]);
  const summary = await run.summary();
  console.log(`${answered} questions were answered to the head`);
  expect(answered).toBeGreaterThan(20);
  expect(runOutcome(summary)).toEqual(expected);
  expect(summary.layers.map(({ applied, restarts }) => ({ applied, restarts }))).toEqual(
    LAYERS.map(() => ({ applied: [[0, 1499]], restarts: 0 })),
  );
});

it("with a layer dead those before it answer, and once it is back all do", async () => {
  const run = begin(["run.batches=200000"]);
  const url = await dashboardOf(run);
  const all = () => askHub(url, { example: 1 }).then(whoAnswered, () => []);
  await expect.poll(all, { timeout: 60_000 }).toEqual([...LAYERS, "source"]);
  // Nobody brings it back meanwhile.
  run.signal("SIGSTOP");
  process.kill(run.pid("layer2"), "SIGKILL");
  await expect.poll(all, { timeout: 60_000 }).toEqual(["layer1", "source"]);
  const times: number[] = [];
  for (let example = 0; times.length < 10; example++) {
    const answers = await askHub(url, { example });
    // The hub waits a second for an answer, and on a busy machine one may take longer; nobody else ever answers.
    expect(["layer1", "source"]).toEqual(expect.arrayContaining(whoAnswered(answers)));
    const answer = answers.find(({ worker }) => worker === "layer1");
    if (answer === undefined) continue;
    expect(answer.beliefs).toHaveLength(9);
    times.push(answer.ms);
  }
  console.log(`with layer 2 dead, layer 1 answers after ${times.join(", ")} ms`);
  expect(Math.min(...times)).toBeLessThan(200);
  run.signal("SIGCONT");
  await expect.poll(all, { timeout: 60_000 }).toEqual([...LAYERS, "source"]);
});
