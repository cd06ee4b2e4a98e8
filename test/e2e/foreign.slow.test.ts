import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { anyPort, reservePorts } from "../../services/train/ports.ts";
import { askHub } from "../../shared/record/ask-hub.ts";
import { Experiment } from "../support/processes/experiment.ts";

const RINGS = "configs/two-rings.yaml";
const SET = ["run.batches=4000", "run.evaluateEvery=1000", "run.checkpointEvery=200"];

let experiments: Experiment[] = [];
let strangers: ChildProcess[] = [];

afterEach(async () => {
  for (const stranger of strangers) stranger.kill("SIGKILL");
  for (const experiment of experiments.reverse()) await experiment.close();
  experiments = [];
  strangers = [];
});

/** Layer 2, by the command line that the run printed last. */
async function startStranger(experiment: Experiment): Promise<ChildProcess> {
  const printed = /^layer2 is yours to start.*\n {2}(.*)$/gm;
  for (;;) {
    const [, command] = [...experiment.output.matchAll(printed)].at(-1) ?? [];
    if (command !== undefined) {
      const stranger = spawn("sh", ["-c", `exec ${command}`], { stdio: "ignore" });
      strangers.push(stranger);
      return stranger;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function begin(options: ConstructorParameters<typeof Experiment>[1]): Promise<Experiment> {
  const experiment = new Experiment(RINGS, options);
  experiments.push(experiment);
  return experiment;
}

describe("a layer that is left to someone else", () => {
  it("is not started by train, is shown as it stands, may die and come back, and ends the run with the others", async () => {
    const [port] = await reservePorts([anyPort()]);
    const experiment = await begin({ set: SET, options: ["--foreign", `2=ws://127.0.0.1:${port}`] });
    const first = await startStranger(experiment);
    await experiment.until("layer3", ({ msg }) => msg === "evaluated");
    expect(existsSync(join(experiment.folder, "logs", "layer2.log"))).toBe(false);

    const shown = await askHub(experiment.folder);
    expect(shown?.view.workers.map(({ name, contact }) => `${name} ${contact}`)).toContain(
      "layer2 connected",
    );

    first.kill("SIGKILL");
    await once(first, "close");
    const second = await startStranger(experiment);

    const summary = await experiment.summary();
    expect(summary.layers.map(({ applied }) => applied)).toEqual(Array(3).fill([[0, 3999]]));
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
    expect(summary.test.error).toBeLessThan(0.1);
    const [code] = second.exitCode === null ? await once(second, "close") : [second.exitCode];
    expect(code).toBe(0);
    expect(experiment.output).not.toContain("layer2 stopped");
  });

  it("is left to them again when the run goes on", async () => {
    const [port] = await reservePorts([anyPort()]);
    const stopped = await begin({ set: SET, options: ["--foreign", `2=ws://127.0.0.1:${port}`] });
    const first = await startStranger(stopped);
    await stopped.until("layer3", ({ msg }) => msg === "evaluated");
    stopped.signal("SIGINT");
    expect((await stopped.ended).code).toBe(130);
    first.kill("SIGTERM");
    await once(first, "close");

    const resumed = await begin({ resume: true, runs: stopped.runs });
    await startStranger(resumed);
    const summary = await resumed.summary();
    expect(summary.layers.map(({ applied }) => applied)).toEqual(Array(3).fill([[0, 3999]]));
    expect(existsSync(join(resumed.folder, "logs", "layer2.log"))).toBe(false);
  });
});
