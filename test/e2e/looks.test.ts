import { expect, it, onTestFinished } from "vitest";
import type { SeenBy } from "../../shared/record/seen.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { dashboardOf } from "../support/page/dashboard.ts";
import { lookAt } from "../support/page/looking.ts";
import { Experiment } from "../support/processes/experiment.ts";

const CONFIG = "configs/binary-addition.yaml";
const WORKERS = ["layer1", "layer2", "layer3", "source"];

it("a pinned run that is looked at all the time learns the same bits as in one process", async () => {
  const set = ["run.batches=2500", "delivery.schedule={staleness: 1}"];
  const run = begin(set);
  const url = await dashboardOf(run);
  let isOver = false;
  void run.ended.then(() => {
    isOver = true;
  });
  const looks: (readonly SeenBy[])[] = [];
  const look = async () => {
    while (!isOver) {
      const seen = await lookAt(url).catch(() => []);
      if (isWhole(seen)) looks.push(seen);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const [, expected] = await Promise.all([look(), chainOutcome(CONFIG, set)]);
  console.log(`${looks.length} batches were seen by every worker`);
  expect(looks.length).toBeGreaterThan(2);
  expect(runOutcome(await run.summary())).toEqual(expected);
  for (const seen of looks) expectUnlocked(seen);
});

it("in a run of backprop each layer moves its weights only when its target has come", async () => {
  const run = begin(["run.batches=200000", "learning.method=backprop"]);
  const url = await dashboardOf(run);
  let seen: readonly SeenBy[] = [];
  await expect
    .poll(
      async () => {
        seen = await lookAt(url).catch(() => []);
        return isWhole(seen);
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  for (const { worker, learns, moments, staleness } of seen) {
    if (learns !== "locked") continue;
    expect({ worker, staleness }).toEqual({ worker, staleness: 0 });
    expect(moments.updated!).toBeGreaterThan(moments.answered!);
  }
  expect(seen.filter(({ learns }) => learns === "locked")).toHaveLength(2);
});

function begin(set: readonly string[]): Experiment {
  const run = new Experiment(CONFIG, { set, options: ["--dashboard-port", "0"] });
  onTestFinished(() => run.close());
  return run;
}

function isWhole(seen: readonly SeenBy[]): boolean {
  return (
    seen
      .map(({ worker }) => worker)
      .toSorted()
      .join() === WORKERS.join() && seen.every(({ refusal }) => !refusal)
  );
}

/** All saw one batch, in the order of the chain; whoever guesses had moved its weights before its target came. */
function expectUnlocked(seen: readonly SeenBy[]): void {
  expect(new Set(seen.map(({ batch }) => batch)).size).toBe(1);
  const of = (name: string) => seen.find(({ worker }) => worker === name)!;
  for (const [from, to] of [
    ["source", "layer1"],
    ["layer1", "layer2"],
    ["layer2", "layer3"],
  ] as const)
    expect(of(to).moments.received! - of(from).moments.sent!).toBeGreaterThan(-0.5);
  for (const name of ["layer1", "layer2"]) {
    const { learns, moments, cosine, staleness, pictures } = of(name);
    expect({ learns, staleness }).toEqual({ learns: "decoupled", staleness: expect.any(Number) });
    expect(moments.updated!).toBeLessThan(moments.answered!);
    expect(Math.abs(cosine!)).toBeLessThanOrEqual(1);
    expect(Object.keys(pictures!).toSorted()).toEqual(["guess", "input", "output", "target", "weights"]);
  }
  expect(of("layer3")).toMatchObject({ learns: "head", loss: expect.any(Number) });
}
