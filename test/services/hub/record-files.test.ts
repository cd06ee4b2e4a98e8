import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RecordFiles, type SaidLine } from "../../../services/hub/record-files.ts";

let folder: string;
let files: RecordFiles;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/files-`);
  files = new RecordFiles(folder, true, () => {});
});
afterEach(() => {
  files.close();
  rmSync(folder, { recursive: true });
});

function said(instance: number): SaidLine {
  const line = {
    kind: "segment",
    worker: "layer1",
    incarnation: 1,
    at: 1,
    first: 0,
    last: 1,
    spanMs: 1,
  } as const;
  return { worker: "layer1", instance: `i-${instance}`, seq: 0, line };
}

it("remembers who said what of so many lives, and forgets those that spoke longest ago", () => {
  files.keep(Array.from({ length: 12_000 }, (_, instance) => said(instance)));
  expect(files.keep([said(11_999), said(2_001)])).toEqual([]);
  expect(files.keep([said(0)])).toEqual([said(0)]);
});
