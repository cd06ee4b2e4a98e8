import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { isOver, writeSummary } from "../../../services/source/record.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { Summary } from "../../../shared/record/summary.ts";

const { config } = loadConfig("configs/mnist.yaml", []);
const other = loadConfig("configs/mnist.yaml", ["seed=1"]).config;

it("takes a run for over once its summary is there", async () => {
  const folder = newFolder();
  expect(await isOver(folder, "mnist", config)).toBe(false);
  await writeSummary(folder, summary);
  expect(await isOver(folder, "mnist", config)).toBe(true);
});

it("refuses the record of another run or another config", async () => {
  const folder = newFolder();
  await writeSummary(folder, summary);
  await expect(isOver(folder, "other", config)).rejects.toThrow("its run is mnist, expected other");
  await expect(isOver(folder, "mnist", other)).rejects.toThrow(/its config is \w{12}, expected \w{12}/);
});

it("does not take an unreadable summary for none", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "summary.json"), "");
  await expect(isOver(folder, "mnist", config)).rejects.toThrow();
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-record-"));
  folders.push(folder);
  return folder;
}

const summary: Summary = {
  run: "mnist",
  config,
  seed: 0,
  startedAt: "2000-01-01T00:00:00.000Z",
  wallSeconds: 1,
  batches: config.run.batches,
  test: { loss: 0, error: 0 },
  layers: [],
  source: { restarts: 0 },
  versions: { node: "v20" },
};
