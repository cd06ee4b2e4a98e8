import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LayerService } from "../../../services/layer/layer-service.ts";
import type { LayerSurroundings } from "../../../services/layer/layer-surroundings.ts";
import {
  type LayerEnvironment,
  type LayerOptions,
  rulesOf,
  startUp,
} from "../../../services/layer/startup.ts";
import { realEnvironment } from "../../../services/worker/environment.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { initialState } from "../../../shared/delivery/delivery-state.ts";
import { standingAt } from "../../../shared/delivery/standing.ts";
import type { Link } from "../../../shared/link/link.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { frame, ones } from "./small-layers.ts";

const BUDGET = 5;
const { config } = loadConfig("configs/two-rings.yaml", [`delivery.stalenessBudget=${BUDGET}`]);
const own = { rssBytes: () => 0, nodeVersion: "", cpuUsage: process.cpuUsage };
const environment: LayerEnvironment = {
  ...realEnvironment({ secret: undefined, tls: undefined }, own),
  kernels: plainKernels(),
  log: () => pino({ level: "silent" }),
  tell: async () => {},
  pid: 1,
};
let options: LayerOptions;

beforeEach(() => {
  options = { layer: 2, run: "a-run", state: mkdtempSync(join(tmpdir(), "next-life-")) } as LayerOptions;
});
afterEach(() => rmSync(options.state, { recursive: true }));

/** How many batches this life learns alone, its successor away, before it holds. */
async function learnsAlone(): Promise<number> {
  const { work, lineage, life } = await startUp({ config, options, environment }, 0);
  const around: Partial<LayerSurroundings> = {
    applies: () => undefined,
    applied: (cursor) => lineage.applied(cursor),
    stands: (standing) => lineage.stands(standing),
    held: () => undefined,
  };
  const service = new LayerService(
    rulesOf(config, 2),
    work,
    life.meter,
    around as LayerSurroundings,
    initialState(lineage.cursor, lineage.standing),
  );
  service.predecessorUp({ send: () => undefined } as Partial<Link> as Link);
  const from = lineage.cursor;
  for (let batch = from + 1; service.standing !== "holding"; batch++)
    service.fromPredecessor(frame(ones, 4, { batch }));
  await lineage.save();
  return lineage.cursor - from;
}

it("the staleness budget goes on where the life before had come to", async () => {
  expect([await learnsAlone(), await learnsAlone(), await learnsAlone()]).toEqual([BUDGET, 0, 0]);
});

it("knows whether it was released, which a finished layer need not be", async () => {
  const first = await startUp({ config, options, environment }, 0);
  expect(first.restored).toBeUndefined();
  first.lineage.applied(0);
  await first.lineage.save({ test: undefined });
  const second = await startUp({ config, options, environment }, 0);
  expect(second.restored).toEqual({ cursor: 0, finished: true, isReleased: false });
  await second.lineage.save({ test: undefined, isReleased: true });
  const third = await startUp({ config, options, environment }, 0);
  expect(third.restored).toEqual({ cursor: 0, finished: true, isReleased: true });
});

it("stays released whatever is saved later, in that life or the next: its predecessor has left on that", async () => {
  const first = await startUp({ config, options, environment }, 0);
  first.lineage.applied(0);
  await first.lineage.save({ test: undefined, isReleased: true });
  await first.lineage.save({ test: undefined });
  await first.lineage.save();
  const second = await startUp({ config, options, environment }, 0);
  expect(second.restored).toMatchObject({ finished: true, isReleased: true });
  await second.lineage.save({ test: undefined });
  const third = await startUp({ config, options, environment }, 0);
  expect(third.restored).toMatchObject({ finished: true, isReleased: true });
});

it("goes back to the start where it keeps its first checkpoint, though its oldest file is of a later batch", async () => {
  const every = config.run.checkpointEvery;
  const aside = mkdtempSync(join(tmpdir(), "aside-"));
  const name = `checkpoint-000001-${String(2 * every - 1).padStart(9, "0")}.safetensors`;
  const savedAt = async (cursor: number) => {
    const { lineage } = await startUp({ config, options, environment }, 0);
    for (let batch = 0; batch <= cursor; batch++) lineage.applied(batch);
    lineage.stands(standingAt(cursor));
    await lineage.save();
  };
  await savedAt(2 * every - 1);
  expect((await startUp({ config, options, environment }, 0, 0)).inexact).toMatch(
    "no checkpoint is old enough",
  );
  renameSync(join(options.state, name), join(aside, name));
  await savedAt(every - 1);
  renameSync(join(aside, name), join(options.state, name));
  rmSync(aside, { recursive: true });
  const back = await startUp({ config, options, environment }, 0, 0);
  expect([back.restored, back.inexact, back.mayGoBack]).toEqual([undefined, undefined, true]);
});

it("learns alone what it keeps beyond its window, and no more: a life after it asks for the answers", () => {
  const paths = ["mnist", "paper/conv/conv4-cdni", "gpt/tiny"].map((name) => `configs/${name}.yaml`);
  const sets = [[], ["learning.method=local"], ["run.batchSize=1024"]];
  for (const path of paths)
    for (const set of sets) {
      const { config } = loadConfig(path, set);
      for (const index of config.layers.keys()) {
        const { window, stalenessBudget, sentKept } = rulesOf(config, index + 1);
        expect(stalenessBudget + window, `${path} ${set}`).toBeLessThanOrEqual(sentKept!);
        expect(stalenessBudget).toBeGreaterThanOrEqual(Math.min(window, config.delivery.stalenessBudget));
      }
    }
});

it("keeps of MNIST all that a neighbour may lack, also as layer 1, which is wide and answers nobody", () => {
  const { config } = loadConfig("configs/mnist.yaml");
  const { window, stalenessBudget } = config.delivery;
  const kept = config.layers.map((_, index) => rulesOf(config, index + 1).sentKept!);
  expect(Math.min(...kept)).toBe(2 * config.run.checkpointEvery + window + stalenessBudget);
});

it("says that its recovery may leave a trace where the order of what its checkpoint has learnt is lost", async () => {
  const orderOf = (learnt: readonly number[]) => ({ note: () => true, since: () => [...learnt] });
  const begin = async (learnt: readonly number[]) => {
    const { inexact, lineage } = await startUp(
      { config, options, environment: { ...environment, order: orderOf(learnt) } },
      0,
    );
    return { inexact, lineage };
  };
  const first = await begin([]);
  expect(first.inexact).toBeUndefined();
  first.lineage.applied(0);
  await first.lineage.save();
  expect((await begin([0])).inexact).toBeUndefined();
  expect((await begin([])).inexact).toBe("the order in which it learnt after batch 0 is lost");
});
