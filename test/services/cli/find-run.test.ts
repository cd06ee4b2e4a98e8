import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRun } from "../../../services/cli/find-run.ts";
import { runIds } from "../../../shared/record/files/run-files.ts";
import { BEGAN_AT, runOnFile } from "../../support/processes/run-on-file.ts";

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
