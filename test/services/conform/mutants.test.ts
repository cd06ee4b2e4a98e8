import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conform, type Outcome } from "../../../services/conform/conform.ts";
import { subjectOf } from "../../../services/conform/subject.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { Worker } from "../../support/processes/worker-process.ts";
import { BrokenWorker } from "./broken-worker.ts";
import { mutants } from "./mutations.ts";

const CONFIG = "configs/conform.yaml";

/** One process; what is wrong with it is changed from test to test. */
describe("unlocked conform, at workers that are wrong in one way", () => {
  const state = mkdtempSync(join(tmpdir(), "unlocked-conform-"));
  const proxy = new BrokenWorker();
  let worker: Worker;
  let front: number;

  beforeAll(async () => {
    const doors = await proxy.open();
    front = doors.front;
    const where = [
      "--listen",
      "127.0.0.1:0",
      "--successor",
      `ws://127.0.0.1:${doors.back}`,
      "--state",
      state,
    ];
    worker = new Worker("layer2", ["--config", CONFIG, "--run", "conform", "--layer", "2", ...where]);
    proxy.workerPort = await worker.port();
  });

  afterAll(async () => {
    worker.signal("SIGKILL");
    await worker.ended;
    await proxy.close();
    rmSync(state, { recursive: true, force: true });
  });

  async function outcomesOn(claims: readonly string[]): Promise<Outcome[]> {
    const subject = subjectOf(loadConfig(CONFIG).config, { layer: 2, run: "conform", secret: undefined });
    return conform({
      url: `ws://127.0.0.1:${front}`,
      subject,
      successor: { host: "127.0.0.1", port: 0 },
      listening: (port) => {
        proxy.successorPort = port;
      },
      waitMs: 20_000,
      say: () => {},
      only: ({ claim }) => claims.some((start) => claim.startsWith(start)),
    });
  }

  /** Also behind the mutants: a worker that one of them has ended is not found out by those that follow. */
  const findsNothing = async () => {
    proxy.mutation = {};
    const outcomes = await outcomesOn(mutants.map(({ claim }) => claim));
    expect(outcomes.length).toBeGreaterThanOrEqual(new Set(mutants.map(({ claim }) => claim)).size);
    expect(outcomes.filter(({ broken }) => broken !== undefined)).toEqual([]);
  };

  it("finds nothing where nothing is wrong", findsNothing);

  it.each(mutants)("finds out one that $what", async ({ claim, mutation }) => {
    proxy.mutation = mutation();
    const outcomes = await outcomesOn([claim]);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]!.broken).toBeDefined();
  });

  it("finds nothing once nothing is wrong again", findsNothing);
});
