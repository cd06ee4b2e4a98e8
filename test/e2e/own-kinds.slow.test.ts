import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { DirectRun } from "../support/processes/direct-run.ts";
import { Experiment, type LogLine } from "../support/processes/experiment.ts";

const PINNED = ["run.batches=1200", "compute.kernels=wasm", "delivery.schedule={staleness: 2}"];

let folder: string;
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  // Nowhere near this project: what the modules need comes with the program.
  folder = mkdtempSync(join(tmpdir(), "unlocked-own-"));
  cpSync("docs/extending", folder, { recursive: true });
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

function closing<Thing extends { close(): Promise<void> }>(thing: Thing): Thing {
  opened.push(thing);
  return thing;
}

function board(): string {
  return join(folder, "board.yaml");
}

describe("a layer and a data set of the user's own, over processes", () => {
  it("come out as in one process, bit for bit", async () => {
    const run = closing(new Experiment(board(), { set: PINNED }));
    const [summary, expected] = await Promise.all([run.summary(), chainOutcome(board(), PINNED)]);
    expect(runOutcome(summary)).toEqual(expected);
    expect(summary.test.error).toBeLessThan(0.2);
    // The control: another layer of the same name comes to something else.
    const other = (await chainOutcome(board(), [...PINNED, "layers.1={outputs: 32}"])).digests;
    expect(other[1]).not.toBe(expected.digests[1]);
  });

  it("are killed and go on by what the run took along, though the files are gone", async () => {
    const run = closing(new Experiment(board(), { set: ["run.batches=3000"] }));
    await run.until("layer2", saved);
    for (const file of ["skip.ts", "board.ts"]) rmSync(join(folder, file));
    for (const worker of ["layer2", "source"]) process.kill(run.pid(worker), "SIGKILL");
    const summary = await run.summary();
    expect(summary.layers.map(({ applied }) => applied)).toEqual(summary.layers.map(() => [[0, 2999]]));
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([0, 1, 0, 0]);
    expect(summary.source.restarts).toBe(1);
    expect(summary.test.error).toBeLessThan(0.2);
  });

  it("go on after a stop with the code that the run began with, whatever the file says by then", async () => {
    const stopped = closing(new Experiment(board(), { set: ["run.batches=6000"] }));
    await stopped.until("layer2", saved);
    stopped.signal("SIGINT");
    expect((await stopped.ended).code).not.toBe(0);
    writeFileSync(join(folder, "skip.ts"), 'throw new Error("another one");');
    const resumed = closing(new Experiment(board(), { resume: true, runs: stopped.runs }));
    const summary = await resumed.summary();
    expect(summary.layers.map(({ applied }) => applied)).toEqual(summary.layers.map(() => [[0, 5999]]));
  });

  it("refuse a neighbour whose module says something else", async () => {
    const run = closing(new DirectRun(board(), 4, ["run.batches=1200"]));
    await run.start("layer4");
    await run.start("layer3");
    mkdirSync(join(folder, "deep"));
    const text = readFileSync(join(folder, "skip.ts"), "utf8");
    writeFileSync(join(folder, "deep/skip.ts"), text.replace("one[at]! +", "2 * one[at]! +"));
    const other = ["layers.1.kind=./deep/skip.ts", "layers.2.kind=./deep/skip.ts"];
    const layer2 = run.launch("layer2", { set: ["run.batches=1200", ...other] });
    expect(await layer2.ended).toBe(78);
    expect(JSON.stringify(layer2.lines)).toMatch(/config is [0-9a-f]{12}, expected [0-9a-f]{12}/);
  });

  it("end with 78 and leave nothing where the module cannot be used", async () => {
    writeFileSync(join(folder, "skip.ts"), "export default {");
    const refused = closing(new Experiment(board()));
    const { code, output } = await refused.ended;
    expect(readdirSync(refused.runs)).toEqual([]);
    expect(code).toBe(78);
    expect(output).toContain('layers.1.kind is "./skip.ts": skip.ts:1:17: Expected identifier');
  });
});

function saved({ msg }: LogLine): boolean {
  return msg === "checkpoint";
}
