import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RunEnd } from "../../../services/source/run-end.ts";
import type { SourceStart } from "../../../services/source/startup.ts";
import { realDisk } from "../../../shared/checkpoint/disk.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { readSummary } from "../../../shared/record/summary.ts";

let record: string;
beforeEach(() => {
  record = mkdtempSync(join(tmpdir(), "unlocked-run-end-"));
});
afterEach(() => rmSync(record, { recursive: true }));

/** What the summary of a run of this config says, whose test had this loss. */
async function summaryOf(config: string, loss: number) {
  const environment = { date: () => new Date(1000), disk: realDisk, nodeVersion: "v20" };
  const start = { config: loadConfig(config).config, options: { run: "r", record }, environment };
  const keeper = { isStopping: false, log: { error: () => {} }, timers: { after: () => {} } };
  const end = new RunEnd(start as unknown as SourceStart, new Date(0), keeper);
  expect(await end.write({ layers: [], test: { loss, error: 0.5 }, source: { restarts: 0 } })).toBe(true);
  return readSummary(record);
}

it("the summary of a text says its loss as perplexity and bits, too", async () => {
  const { test, text } = await summaryOf("configs/gpt/tiny.yaml", Math.log(8));
  expect(test.loss).toBeCloseTo(Math.log(8));
  expect(text).toEqual({ unit: "character", perplexity: expect.closeTo(8), bits: expect.closeTo(3) });
});

it("that of anything else does not", async () => {
  expect(await summaryOf("configs/mnist.yaml", 0.06)).not.toHaveProperty("text");
});
