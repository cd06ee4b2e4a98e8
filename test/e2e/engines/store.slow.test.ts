import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BUCKET, ObjectServer, type Trouble } from "../../support/engines/object-server.ts";
import { DirectRun } from "../../support/processes/direct-run.ts";

const CONFIG = "configs/two-rings.yaml";
const LAYERS = 3;
const BATCHES = 6000;
const SHORT = [`run.batches=${BATCHES}`, "run.checkpointEvery=50", "run.snapshotEvery=1000"];
const EXACT = [[0, BATCHES - 1]];
/** As many as there is time for: 100 by hand. */
const ROUNDS = Number(process.env.UNLOCKED_ROUNDS ?? 3);

/** How long a store is in trouble at least: 60,000 by hand. */
const TROUBLE_MS = Number(process.env.UNLOCKED_TROUBLE_MS ?? 0);

/** A node is a folder here: what is lost with it is gone, and the store is all that is left. */
describe("a network whose checkpoints leave their node", () => {
  let server: ObjectServer;
  let run: DirectRun;

  beforeEach(async () => {
    server = await ObjectServer.start();
    for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
  });
  afterEach(async () => {
    await run.close();
    vi.unstubAllEnvs();
    await server.close();
  });

  function begin(set: readonly string[]): DirectRun {
    const prefix = `s3://${BUCKET}/${randomUUID()}`;
    const command = (name: string) =>
      name === "source"
        ? [RUNNER, "services/source/main.ts", "--state", `${prefix}/source`, "--record", `${prefix}/record`]
        : [RUNNER, "services/layer/main.ts", "--state", `${prefix}/${name}`];
    return new DirectRun(CONFIG, LAYERS, set, "a-run", { command });
  }

  it("goes on where it was on nodes that have nothing, and knows each batch once", async () => {
    run = begin(SHORT);
    await run.startAll();
    const layers = ["layer1", "layer2", "layer3"];
    for (const [round, name] of ["layer2", "layer1", "layer3", "source"].entries()) {
      await run.worker("layer2").says("checkpoint");
      run.worker(name).signal("SIGKILL");
      await run.worker(name).ended;
      rmSync(run.state(name), { recursive: true });
      const next = await run.start(name, { state: `node-${round}` });
      if (name !== "source") expect((await next.says("restored")).batch).toBeGreaterThan(0);
    }
    const summary = await run.summary();
    expect(summary.layers.map(({ applied }) => applied)).toEqual(Array(LAYERS).fill(EXACT));
    // A layer whose successor came back with an older checkpoint than its log reaches goes back itself.
    const lives = layers.map((name) => 1 + run.said(name, "going back").length);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual(lives);
  });

  it.each<[Trouble, number]>([
    ["down", 0],
    ["errors", 0],
    ["cuts", 0],
    ["none", 2000],
  ])("trains on while its store is %s, %i ms late, says so, and heals", async (trouble, delayMs) => {
    run = begin(["run.batches=1000000", "run.checkpointEvery=50"]);
    await run.startAll();
    const layer = run.worker("layer2");
    await layer.says("checkpoint");
    Object.assign(server, { trouble, delayMs });
    if (trouble === "down") await layer.tells((each) => each.kind === "progress" && each.alarm !== undefined);
    await new Promise((resolve) => setTimeout(resolve, TROUBLE_MS));
    const before = await layer.tells(isLaterThan(performance.now()));
    await layer.tells((each) => each.kind === "progress" && each.batch > batchOf(before) + 500);
    Object.assign(server, { trouble: "none", delayMs: 0 });
    if (trouble === "down") await layer.says("checkpoints work again");
    // What it called durable last is there for a node that has nothing.
    layer.signal("SIGKILL");
    await layer.ended;
    const durable = Math.max(...layer.said("checkpoint").map(({ batch }) => batch as number));
    const next = await run.start("layer2", { state: "another-node" });
    expect((await next.says("restored")).batch).toBeGreaterThanOrEqual(durable);

    function isLaterThan(at: number) {
      return (each: { kind: string }) => each.kind === "progress" && performance.now() > at;
    }
  });

  it("is evicted without a batch lost or learnt twice, within ten seconds", async () => {
    run = begin(SHORT);
    await run.startAll();
    for (let round = 0; round < ROUNDS; round++) {
      const layer = run.worker("layer2");
      const at = round * 100 + 20;
      await layer.tells((each) => each.kind === "progress" && each.batch > at);
      const began = performance.now();
      layer.signal("SIGTERM");
      expect(await layer.ended).toBe(0);
      expect(performance.now() - began).toBeLessThan(10_000);
      const [stopped] = layer.said("stopped");
      const [[, last]] = stopped!.applied as [[number, number]];
      rmSync(run.state(round === 0 ? "layer2" : `node-${round - 1}`), { recursive: true });
      const next = await run.start("layer2", { state: `node-${round}` });
      expect((await next.says("restored")).batch).toBe(last);
    }
    const { layers } = await run.summary();
    expect(layers.map(({ applied }) => applied)).toEqual(Array(LAYERS).fill(EXACT));
  });

  it("has one layer 2, whenever a second is started on another node", async () => {
    run = begin([`run.batches=${Math.max(BATCHES, ROUNDS * 500)}`, "run.checkpointEvery=20"]);
    await run.startAll();
    for (let round = 0; round < ROUNDS; round++) {
      const one = run.worker("layer2");
      await one.says("training");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      const other = await run.start("layer2", { state: `node-${round}`, port: 0 });
      expect(await one.ended).toBe(0);
      expect(one.said("fenced")).toHaveLength(1);
      // What the new one began with is at least what the old one ever called durable.
      const durable = Math.max(-1, ...one.said("checkpoint").map(({ batch }) => batch as number));
      const [restored] = other.said("restored");
      expect((restored?.batch as number | undefined) ?? -1).toBeGreaterThanOrEqual(durable);
      // Its neighbour dials where it was: as the engine would, we lead it to the new one.
      await replaceNeighbour(run);
    }
    const { layers, batches } = await run.summary();
    expect(layers.map(({ applied }) => applied)).toEqual(Array(LAYERS).fill([[0, batches - 1]]));
  });
});

/** Starts layer 1 anew, which then dials the layer 2 that is in office. */
async function replaceNeighbour(run: DirectRun): Promise<void> {
  run.worker("layer1").signal("SIGTERM");
  await run.worker("layer1").ended;
  await run.start("layer1");
}

function batchOf({ telemetry }: { readonly telemetry: { readonly kind: string } }): number {
  return (telemetry as { readonly batch?: number }).batch ?? 0;
}

const RUNNER = "services/start/run.cjs";
