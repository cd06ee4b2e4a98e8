import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  callUndertaker,
  compose,
  contact,
  crash,
  describeRun,
  exitCode,
  exitCodes,
  healthOf,
  inside,
  LAYERS,
  lives,
  missing,
  networksOf,
  PROJECT,
  published,
  rightsIn,
  said,
  summary,
  viewAt,
  WORKERS,
  writeProgram,
} from "../../support/engines/containers.ts";

describe.skipIf(missing !== undefined)("a network of containers", () => {
  let folder: string;
  let file: string;
  let clearAway: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unlocked-compose-"));
    file = join(folder, "docker-compose.yml");
    describeRun(file, []);
    clearAway = callUndertaker(folder, file);
    await compose(file, "build");
  });
  afterEach(() => compose(file, "down", "--volumes", "--timeout", "5"));
  afterAll(() => clearAway());

  it("gives its workers no rights and no way out", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    await said("layer1", "training");
    for (const worker of WORKERS) {
      expect(await rightsIn(worker), worker).toEqual(["Uid 1000", "CapEff 0000000000000000", "NoNewPrivs 1"]);
      await expect(writeProgram(worker)).rejects.toThrow("Read-only file system");
      expect(await networksOf(worker), worker).toEqual([{ name: `${PROJECT}_mesh`, isInternal: true }]);
    }
  });

  it("finds its workers and its hub healthy", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    const all = [...WORKERS, "hub"];
    await vi.waitFor(async () => expect(await healthOf(all)).toEqual(all.map(() => "healthy")), 60_000);
  });

  it("shows on this machine's own port that layer 2 is killed, and is back, and keeps the record past the end", async () => {
    describeRun(file, RUN);
    await compose(file, "up", "--detach");
    const address = await published("hub");
    await said("layer2", "checkpoint");
    await compose(file, "kill", "layer2");
    await vi.waitFor(async () => expect(await contact(address, "layer2")).not.toBe("connected"), 60_000);
    await compose(file, "start", "layer2");
    await vi.waitFor(async () => expect(await contact(address, "layer2")).toBe("connected"), 60_000);
    expect(await exitCodes()).toEqual(allDone);
    const { row } = await viewAt(address);
    expect(row.batch).toBe(row.batches - 1);
    const page = await fetch(address);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await inside("hub", "ls", "/record")).toMatch(/config.yaml\n.*events.ndjson\n.*metrics.ndjson/s);
  });

  it("restarts a layer that crashes", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    await said("layer2", "training");
    await crash("layer2");
    await vi.waitFor(
      async () => expect(await lives("layer2")).toEqual({ restarts: 1, isRunning: true }),
      60_000,
    );
  });

  it("learns every batch once although layer 2 is killed", async () => {
    const batches = describeRun(file, RUN);
    await compose(file, "up", "--detach");
    await said("layer2", "checkpoint");
    await compose(file, "kill", "layer2");
    await Promise.all([said("layer1", "lost successor"), said("layer3", "lost predecessor")]);
    expect(await exitCode("layer2")).toBe(137);
    await compose(file, "start", "layer2");
    const restored = await said("layer2", "restored");
    expect(restored.batch).toBeLessThan(batches / 2);

    expect(await exitCodes()).toEqual(allDone);
    const { layers } = await summary(folder);
    expect(layers.map(({ applied }) => applied)).toEqual(LAYERS.map(() => [[0, batches - 1]]));
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2, 3, 4]);
    expect(layers[1]!.restarts).toBeGreaterThanOrEqual(1);
    expect(layers[2]!.restarts).toBe(0);
    const story = await compose(file, "logs", "--no-color", "layer2");
    expect(story).toMatch(/started.*linked.*training.*started.*restored.*linked.*training.*done/s);
  });

  it("goes on from its volumes after all containers are gone", async () => {
    const batches = describeRun(file, RUN);
    await compose(file, "up", "--detach");
    await Promise.all(LAYERS.map((layer) => said(layer, "checkpoint")));
    await compose(file, "stop");
    expect(await exitCodes()).toEqual(allDone);
    await compose(file, "down");

    await compose(file, "up", "--detach");
    for (const layer of LAYERS) {
      const restored = await said(layer, "restored");
      expect(restored.batch, layer).toBeGreaterThan(0);
      expect(restored.batch, layer).toBeLessThan(batches - 1);
    }
    expect(await exitCodes()).toEqual(allDone);
    const { layers } = await summary(folder);
    expect(layers.map(({ applied }) => applied)).toEqual(LAYERS.map(() => [[0, batches - 1]]));
  });
});

/** Longer than anybody looks: docker asks for the first time whether a worker is healthy when 10 seconds are over. */
const ENDLESS = ["run.epochs=1000"];

// Ten times as long as it takes compose to kill a container: at the first checkpoint there is most of the run to go.
const RUN = ["run.batches=3000", "run.checkpointEvery=100"];
const allDone = Object.fromEntries(WORKERS.map((worker) => [worker, 0]));
