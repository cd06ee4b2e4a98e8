import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { expectExact } from "../support/exact.ts";
import { Experiment } from "../support/processes/experiment.ts";

const RINGS = "configs/two-rings.yaml";
const LAYERS = ["layer1", "layer2", "layer3"];
const WORKERS = ["source", ...LAYERS];
const SET = ["run.batches=12000", "run.evaluateEvery=3000"];

let experiments: Experiment[] = [];
afterEach(async () => {
  // The newest first: the folder is shared, and goes with each of them.
  for (const experiment of experiments.reverse()) await experiment.close();
  experiments = [];
});

describe("a run stopped by Ctrl-C", () => {
  it("ends soon with 130, every layer saved where it stood, and goes on from there", async () => {
    const first = begin();
    await first.until("layer3", ({ msg }) => msg === "evaluated");
    const pids = WORKERS.map((name) => first.pid(name));
    const askedAt = performance.now();
    first.signal("SIGINT");
    const { code, output } = await first.ended;
    const tookMs = performance.now() - askedAt;
    console.log(`stopped ${Math.round(tookMs)} ms after SIGINT`);
    expect(code).toBe(130);
    expect(tookMs).toBeLessThan(4000);
    expect(output).toContain("--resume");
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
    const cursors = LAYERS.map((name) => stoppedAt(first, name));
    for (const [index, name] of LAYERS.entries()) {
      expect(cursors[index]).toBeGreaterThan(0);
      expect(newestSaved(first, name)).toBe(cursors[index]);
    }

    const second = goOn(first);
    const summary = await second.summary();
    expect(LAYERS.map((name) => restoredAt(second, name))).toEqual(cursors);
    expectExact(summary);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
    expect(summary.test.error).toBeLessThan(0.05);
  });

  it("may be stopped again and again", async () => {
    let experiment = begin();
    for (const batch of [3000, 6000, 9000]) {
      await experiment.until("layer3", (line) => line.msg === "evaluated" && line.batch === batch);
      experiment.signal("SIGINT");
      expect((await experiment.ended).code).toBe(130);
      experiment = goOn(experiment);
    }
    const summary = await experiment.summary();
    expectExact(summary);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([3, 3, 3]);
    expect(summary.source.restarts).toBe(3);
  });
});

describe("a run whose parent is killed", () => {
  it("leaves no worker behind, and goes on when asked to", async () => {
    const first = begin();
    await first.until("layer3", ({ msg }) => msg === "evaluated");
    const pids = WORKERS.map((name) => first.pid(name));
    for (const pid of pids) expect(isAlive(pid)).toBe(true);
    const killedAt = performance.now();
    first.signal("SIGKILL");
    expect((await first.ended).code).toBe(null);
    await gone(pids);
    console.log(`workers gone ${Math.round(performance.now() - killedAt)} ms after the parent was killed`);

    const second = goOn(first);
    expectExact(await second.summary());
    for (const name of LAYERS) expect(restoredAt(second, name)).toBe(stoppedAt(second, name));
  });
});

function begin(): Experiment {
  const experiment = new Experiment(RINGS, { set: SET });
  experiments.push(experiment);
  return experiment;
}

function goOn({ runs }: Experiment): Experiment {
  const experiment = new Experiment(RINGS, { resume: true, runs });
  experiments.push(experiment);
  return experiment;
}

function stoppedAt(experiment: Experiment, worker: string): number | undefined {
  return experiment.log(worker).findLast(({ msg }) => msg === "stopping")?.batch;
}

function restoredAt(experiment: Experiment, worker: string): number | undefined {
  return experiment.log(worker).findLast(({ msg }) => msg === "restored")?.batch;
}

/** Cursor of the newest checkpoint, read from the names of the files. */
function newestSaved({ folder }: Experiment, worker: string): number {
  const names = readdirSync(join(folder, "checkpoints", worker));
  return Math.max(
    ...names.map((name) => Number(/^checkpoint-\d+-(\d+)\.safetensors$/.exec(name)?.[1] ?? -1)),
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
}
