import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockRun } from "../../services/train/run-lock.ts";
import { RunRecord } from "../../shared/record/run-record.ts";
import { BEGAN_AT, killedRun, runOnFile } from "../support/processes/run-on-file.ts";

let runs: string;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-record-"));
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

describe("a record that is read", () => {
  it("has what stands, and who is known to have died", () => {
    const record = RunRecord.read(runOnFile(runs, "killed"));
    expect(record.standing.segments("layer2").map(({ first, incarnation }) => [first, incarnation])).toEqual([
      ...[0, 10, 20, 30, 40].map((first) => [first, 1]),
      ...[50, 60, 70, 80, 90].map((first) => [first, 2]),
    ]);
    expect(record.events.map(({ name }) => name)).toContain("died");
    expect(record.newestAt).toBe(BEGAN_AT + 12_900);
  });

  it("passes over what a killed writer left of a line, and what it does not know", () => {
    const folder = runOnFile(runs, "torn");
    const before = RunRecord.read(folder).standing.lines();
    appendFileSync(join(folder, "metrics.ndjson"), '{"kind":"dream","worker":"layer1"}\nnull\n{"kind":"segm');
    expect(RunRecord.read(folder).standing.lines()).toEqual(before);
  });

  it("knows whether a living process trains it", () => {
    const folder = runOnFile(runs, "trained");
    const later = BEGAN_AT + 60_000;
    const isTrained = () => RunRecord.read(folder).isTrained(later);
    expect(isTrained()).toBe(false);
    const lock = lockRun(folder, process.pid);
    expect(isTrained()).toBe(true);
    lock.release();
    writeFileSync(join(folder, `train.${process.pid}.1.lock`), "");
    expect(isTrained()).toBe(false);
  });

  it("is of a run in training while its workers speak, also where nobody here started them", () => {
    const record = RunRecord.read(runOnFile(runs, "by-hand"));
    expect(record.state(record.newestAt + 2_000)).toBe("training");
    expect(record.state(record.newestAt + 20_000)).toBe("stopped");
  });

  it("is of a run that has only begun, too", () => {
    const { standing, newestAt } = RunRecord.read(
      runOnFile(runs, "young", { ...killedRun(), metrics: [], events: [] }),
    );
    expect(standing.lines()).toEqual([]);
    expect(newestAt).toBe(BEGAN_AT);
  });
});
