import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOfProcess } from "../../../shared/record/trainer.ts";
import { TrainProcess, TWO_RINGS } from "../../support/processes/train-process.ts";

let folder: string;
let started: TrainProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-train-"));
  started = [];
});

afterEach(() => {
  for (const train of started) train.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function train(args: readonly string[], fakes?: Readonly<Record<string, string>>): TrainProcess {
  const process = new TrainProcess(folder, ["train", ...args], fakes);
  started.push(process);
  return process;
}

function logOf(worker: string): string {
  return readFileSync(join(folder, "runs", "latest", "logs", `${worker}.log`), "utf8");
}

async function gone(pids: Iterable<number>): Promise<void> {
  for (const pid of pids) {
    while (startOfProcess(pid) !== undefined) await setTimeout(20);
  }
}

describe("train", () => {
  it("brings a run to its end, and says how well and where its record is", async () => {
    const run = train([TWO_RINGS]);
    expect(await run.ends()).toBe(0);
    expect(run.text).toContain("test accuracy 87.50 %, loss 0.250");
    expect(run.text).toContain("40 batches in 0:02, 20.0 batches/s");
    expect(run.text).toMatch(/^record: runs\/two-rings-\d{8}-\d{6}$/m);
    const id = readlinkSync(join(folder, "runs", "latest"));
    expect(readdirSync(join(folder, "runs", id)).sort()).toEqual([
      "checkpoints",
      "config.yaml",
      "data.json",
      "logs",
      "summary.json",
    ]);
    expect(readdirSync(join(folder, "runs", id, "checkpoints"))).toEqual([
      "layer1",
      "layer2",
      "layer3",
      "source",
    ]);
  });

  it("leaves nothing of a run that it refuses because runs/latest is a folder of somebody's", async () => {
    mkdirSync(join(folder, "runs/latest"), { recursive: true });
    const run = train([TWO_RINGS]);
    expect(await run.ends()).toBe(78);
    expect(run.text).toContain("Cannot point runs/latest at");
    expect(readdirSync(join(folder, "runs"))).toEqual(["latest"]);
  });

  it("starts a worker again that crashed, and keeps the log of both lives in one file", async () => {
    const run = train([TWO_RINGS], { layer2: "crashes once" });
    expect(await run.ends()).toBe(0);
    expect(run.text).toContain(
      "layer2 died with code 1 (Error: crash of life 1); starting it again (restart 1)",
    );
    expect(logOf("layer2")).toMatch(/life 1 begins[\s\S]*crash of life 1[\s\S]*life 2 begins/);
    expect(logOf("layer1")).not.toContain("life 2 begins");
  });

  it("starts a worker again that was killed and then cannot start for a while", async () => {
    const run = train([TWO_RINGS], { layer1: "cannot start again soon", source: "never finishes" });
    const victim = (await run.workers()).get("layer1")!;
    while (!logOf("layer1").includes("well under way")) await setTimeout(20);
    process.kill(victim, "SIGKILL");
    await run.says(/^layer1 died with code 78 \(.*taken\); again in 0\.\d s \(restart 2\)$/m);
    await run.says(/^layer1 died with code 78 .* \(restart 3\)$/m);
    while (!logOf("layer1").includes("life 4 begins")) await setTimeout(20);
  });

  it("starts a worker again that somebody killed", async () => {
    const run = train([TWO_RINGS], { source: "never finishes" });
    const victim = (await run.workers()).get("layer1")!;
    process.kill(victim, "SIGKILL");
    const [, pid] = await run.says(/^layer1 is process (\d+) now$/m);
    expect(run.text).toContain("layer1 was ended by SIGKILL; starting it again (restart 1)");
    expect(Number(pid)).not.toBe(victim);
    run.signal("SIGTERM");
    expect(await run.ends()).toBe(143);
  });

  it("starts a worker again that left before the run had finished", async () => {
    const run = train([TWO_RINGS], { layer3: "leaves once" });
    expect(await run.ends()).toBe(0);
    expect(run.text).toContain("layer3 left before the run had finished");
  });

  it("ends with a worker's own code when that can never work, and says why", async () => {
    const run = train([TWO_RINGS], { layer2: "cannot start" });
    expect(await run.ends()).toBe(78);
    expect(run.text).toMatch(
      /layer2 cannot start \(code 78\):\n {2}.*ERROR Cannot listen on 127.0.0.1:\d+: taken/,
    );
    expect(run.text).toMatch(/^the whole log: runs\/.*\/logs\/layer2.log$/m);
    await gone((await run.workers()).values());
  });

  it("asks every worker to stop on Ctrl-C, and the run can go on", async () => {
    const run = train([TWO_RINGS], { source: "never finishes" });
    const pids = (await run.workers()).values();
    await waitForProgress();
    run.signalGroup("SIGINT");
    expect(await run.ends()).toBe(130);
    expect(run.text).toMatch(/^stopped at batch \d+; go on with: npm start -- --resume$/m);
    expect(run.text).not.toContain("killed");
    for (const name of ["source", "layer1", "layer2", "layer3"]) {
      expect(logOf(name)).toContain("leaves with 0");
    }
    await gone(pids);

    const again = train(["--resume"]);
    expect(await again.ends()).toBe(0);
    expect(readdirSync(join(folder, "runs"))).toHaveLength(2);
    expect(logOf("layer1")).toContain("life 2 begins");
  });

  it("counts a Ctrl-C that arrives twice at once as one", async () => {
    // It leaves only after both: a process that is about to end has no ear for the second one.
    const run = train([TWO_RINGS], { source: "never finishes", layer1: "leaves when let" });
    await waitForProgress();
    run.signalGroup("SIGINT");
    run.signal("SIGINT");
    writeFileSync(join(folder, "runs", "latest", "let-leave"), "");
    expect(await run.ends()).toBe(130);
    expect(logOf("layer1")).toContain("leaves with 0");
  });

  it("kills a worker that does not stop when asked", async () => {
    const run = train([TWO_RINGS], { layer1: "ignores stop", source: "never finishes" });
    const pids = (await run.workers()).values();
    await waitForProgress();
    run.signal("SIGTERM");
    expect(await run.ends()).toBe(143);
    expect(run.text).toContain("layer1 did not end within 2 s and was killed");
    await gone(pids);
  });

  it("leaves no worker behind when it is killed itself, and the run is free to go on", async () => {
    const run = train([TWO_RINGS], { source: "never finishes" });
    const pids = (await run.workers()).values();
    await waitForProgress();
    run.signal("SIGKILL");
    await gone(pids);
    expect(await train(["--resume"]).ends()).toBe(0);
  });

  it("ends every worker when a bug ends it, also one that would not let go", async () => {
    const run = train([TWO_RINGS], { source: "never finishes", layer1: "never lets go" });
    const pids = (await run.workers()).values();
    await waitForProgress();
    run.signal("SIGUSR2");
    await gone(pids);
    expect(await run.ends()).not.toBe(0);
    expect(run.text).toContain("Error: a bug");
  });

  it("does not train a run that another one is training", async () => {
    const run = train([TWO_RINGS], { source: "never finishes" });
    await waitForProgress();
    const second = train(["--resume"]);
    expect(await second.ends()).toBe(78);
    expect(second.text).toMatch(/Cannot train runs\/.*: process \d+ is training it/);
    run.signal("SIGTERM");
    expect(await run.ends()).toBe(143);
  });

  it("says nothing of the way when told to be quiet", async () => {
    const run = train([TWO_RINGS, "--quiet"], { layer2: "crashes once" });
    expect(await run.ends()).toBe(0);
    expect(run.text.trim().split("\n")).toHaveLength(3);
  });

  /** Until the workers have told of some batches. */
  async function waitForProgress(): Promise<void> {
    const isUnder = (worker: string) => existsSync(join(folder, "runs", "latest", "logs", `${worker}.log`));
    const names = ["source", "layer1", "layer2", "layer3"];
    while (!names.every((name) => isUnder(name) && logOf(name).includes("well under way"))) {
      await setTimeout(20);
    }
  }
});
