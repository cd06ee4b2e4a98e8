import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../../services/train/supervision.ts";
import { WorkerProcess } from "../../../services/train/worker-process.ts";
import { startOfProcess } from "../../../shared/record/trainer.ts";

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-worker-"));
  log = join(folder, "layer1.log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Life {
  readonly process: WorkerProcess;
  readonly ended: Promise<Ending>;
  readonly told: unknown[];
}

function live(...command: string[]): Life {
  const told: unknown[] = [];
  let process: WorkerProcess | undefined;
  const ended = new Promise<Ending>((resolve) => {
    process = new WorkerProcess(command, log, { told: (telemetry) => told.push(telemetry), ended: resolve });
  });
  return { process: process!, ended, told };
}

function node(code: string): Life {
  return live(process.execPath, "--eval", code);
}

describe("a worker's process", () => {
  it("has told everything before it has ended", async () => {
    const { process, ended, told } = node(`
      for (let port = 0; port < 100; port++) process.send({ kind: "listening", worker: "layer1", port });
    `);
    // Until it is dead, and all it said waits for us together with the news of its death.
    while (startOfProcess(process.pid!) !== undefined);
    const count = ended.then(() => told.length);
    expect(await ended).toEqual({ code: 0 });
    expect(await count).toBe(100);
  });

  it("tells only what is telemetry", async () => {
    const { ended, told } = node(`
      for (const message of ["finished", { type: "dependency" }, { kind: "stop" }, { kind: "finished" }]) {
        process.send(message);
      }
    `);
    await ended;
    expect(told).toEqual([{ kind: "finished" }]);
  });

  it("says which signal ended it", async () => {
    const { process, ended } = node("setInterval(() => 0, 1000)");
    process.kill();
    expect(await ended).toEqual({ signal: "SIGKILL" });
    process.askToStop();
    process.kill();
  });

  it("ends with the reason when there is no such program", async () => {
    const { process, ended } = live(join(folder, "no-such-program"));
    expect(await ended).toEqual({ fault: expect.stringContaining("ENOENT") });
    process.askToStop();
    process.kill();
  });

  it("appends both its outputs to the log, and knows which lines are its own", async () => {
    await node(`console.error("Error: of the first life")`).ended;
    const { process, ended } = node(`console.log("one"); console.error("two")`);
    await ended;
    expect(readFileSync(log, "utf8")).toBe("Error: of the first life\none\ntwo\n");
    expect(process.lastWords()).toEqual(["one", "two"]);
  });
});
