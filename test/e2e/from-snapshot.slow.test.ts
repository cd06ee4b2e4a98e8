import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { expectExact } from "../support/exact.ts";
import { Experiment } from "../support/processes/experiment.ts";

const RINGS = "configs/two-rings.yaml";
const PINNED = ["delivery.schedule={staleness: 2}", "compute.kernels=wasm", "run.batches=6000"];
const SET = [...PINNED, "run.evaluateEvery=1000", "run.snapshotEvery=500"];

let experiments: Experiment[] = [];
afterEach(async () => {
  for (const experiment of experiments.reverse()) await experiment.close();
  experiments = [];
});

describe("a run set back to a snapshot", () => {
  it("comes out as if it had never been interrupted, bit for bit, and keeps what it went back behind", async () => {
    const first = await stopped();
    const checkpoints = filesOf(first, "layer2");
    const second = goOn(first, "--from-snapshot");
    const summary = await second.summary();
    const went = /back after (\d+) batches, to snapshot (\S+); what came later is in (aside-\S+)/.exec(
      second.output,
    )!;
    expect(Number(went[1]) % 500).toBe(0);
    for (const name of LAYERS) expect(restoredAt(second, name)).toBe(Number(went[1]) - 1);
    expect(runOutcome(summary)).toEqual(await chainOutcome(RINGS, SET));
    expectExact(summary);
    expect(readdirSync(join(second.folder, "checkpoints", "layer2", went[3]!)).sort()).toEqual(checkpoints);
  });

  it("falls back to the one before where a file is damaged, says so, and ends the same", async () => {
    const first = await stopped();
    const [newest, before] = manifestsOf(first);
    const path = join(first.folder, "checkpoints", "layer3", "snapshots", `${newest}.safetensors`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const second = goOn(first, "--from-snapshot");
    const summary = await second.summary();
    expect(second.output).toContain(`snapshot ${newest} cannot be used: layer 3:`);
    expect(second.output).toContain(`to snapshot ${before};`);
    expect(runOutcome(summary)).toEqual(await chainOutcome(RINGS, SET));
  });

  it("is refused where there is none so old, and nothing is changed", async () => {
    const first = await stopped();
    const before = filesOf(first, "layer1");
    const second = goOn(first, "--from-snapshot", "7");
    const { code, output } = await second.ended;
    expect(code).toBe(78);
    expect(output).toMatch(/Cannot go back: \S+ has no snapshot up to batch 7 yet/);
    expect(filesOf(first, "layer1")).toEqual(before);
    expectExact(await goOn(first).summary());
  });
});

const LAYERS = ["layer1", "layer2", "layer3"];

/** Stopped after two snapshots, some batches beyond the last. */
async function stopped(): Promise<Experiment> {
  const experiment = new Experiment(RINGS, { set: SET });
  experiments.push(experiment);
  await experiment.until("source", ({ msg, batch }) => msg === "snapshot" && batch! >= 1500);
  experiment.signal("SIGINT");
  expect((await experiment.ended).code).toBe(130);
  expect(manifestsOf(experiment)).toHaveLength(2);
  return experiment;
}

function goOn({ runs }: Experiment, ...options: string[]): Experiment {
  const experiment = new Experiment(RINGS, { resume: true, runs, options });
  experiments.push(experiment);
  return experiment;
}

function manifestsOf({ folder }: Experiment): string[] {
  const names = readdirSync(join(folder, "snapshots")).filter((name) => name.endsWith(".json"));
  return names
    .map((name) => name.replace(".json", ""))
    .sort()
    .reverse();
}

/** Its checkpoints. */
function filesOf({ folder }: Experiment, worker: string): string[] {
  const names = readdirSync(join(folder, "checkpoints", worker));
  return names.filter((name) => name.endsWith(".safetensors")).sort();
}

function restoredAt(experiment: Experiment, worker: string): number | undefined {
  return experiment.log(worker).findLast(({ msg }) => msg === "restored")?.batch;
}
