import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRun, readRecord, runIds } from "../../../services/cli/record.ts";
import { lockRun } from "../../../services/train/run-lock.ts";
import { BEGAN_AT, killedRun, runOnFile } from "../../support/run-on-file.ts";

let runs: string;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-record-"));
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

describe("finding a run", () => {
  beforeEach(() => {
    for (const [index, id] of ["rings-1", "rings-2", "digits-1"].entries()) {
      runOnFile(runs, id, { startedAt: BEGAN_AT + index });
    }
  });

  it("lists the newest first", () => expect(runIds(runs)).toEqual(["digits-1", "rings-2", "rings-1"]));

  it.each([
    [undefined, "digits-1"],
    ["latest", "digits-1"],
    ["rings-1", "rings-1"],
    ["dig", "digits-1"],
  ])("%s is %s", (wanted, id) => expect(findRun(runs, wanted)).toBe(join(runs, id)));

  it("takes a folder too", () =>
    expect(findRun("elsewhere", join(runs, "rings-1"))).toBe(join(runs, "rings-1")));

  it.each([
    ["digit-9", /^Cannot find run digit-9: there is none in .*; the newest are digits-1, rings-2, rings-1$/],
    ["rings", /^Cannot find run rings: 2 begin so: rings-2, rings-1$/],
    ["no/folder", /no no\/folder\/config.yaml$/],
  ])("refuses %s and says what there is", (wanted, words) =>
    expect(() => findRun(runs, wanted)).toThrow(words),
  );
});

it("says so where there is no run at all", () => {
  expect(() => findRun(join(runs, "none"))).toThrow(/^Cannot find a run: there is none in .*none yet$/);
});

describe("reading a record", () => {
  it("has what stands, and who is known to have died", () => {
    const record = readRecord(runOnFile(runs, "killed"));
    expect(record.standing.segments("layer2").map(({ first, incarnation }) => [first, incarnation])).toEqual([
      ...[0, 10, 20, 30, 40].map((first) => [first, 1]),
      ...[50, 60, 70, 80, 90].map((first) => [first, 2]),
    ]);
    expect(record.events.map(({ name }) => name)).toContain("died");
    expect(record.newestAt).toBe(BEGAN_AT + 12_900);
  });

  it("passes over what a killed writer left of a line, and what it does not know", () => {
    const folder = runOnFile(runs, "torn");
    const before = readRecord(folder).standing.lines();
    appendFileSync(join(folder, "metrics.ndjson"), '{"kind":"dream","worker":"layer1"}\nnull\n{"kind":"segm');
    expect(readRecord(folder).standing.lines()).toEqual(before);
  });

  it("knows whether a living process trains it", () => {
    const folder = runOnFile(runs, "trained");
    expect(readRecord(folder).isTrained).toBe(false);
    const lock = lockRun(folder, process.pid);
    expect(readRecord(folder).isTrained).toBe(true);
    lock.release();
    writeFileSync(join(folder, `train.${process.pid}.1.lock`), "");
    expect(readRecord(folder).isTrained).toBe(false);
  });

  it("is of a run that has only begun, too", () => {
    const { standing, newestAt } = readRecord(
      runOnFile(runs, "young", { ...killedRun(), metrics: [], events: [] }),
    );
    expect(standing.lines()).toEqual([]);
    expect(newestAt).toBe(BEGAN_AT);
  });
});
