import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import type { Comparison } from "../../../services/compare/compare-report.ts";
import { hubCommand } from "../../../services/train/dashboard.ts";
import { nodeCommand } from "../../../services/train/worker-plan.ts";
import { testEdges } from "../../support/edges.ts";
import { TWO_RINGS } from "../../support/processes/train-process.ts";

const folder = mkdtempSync(join(tmpdir(), "unlocked-compare-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("reads of services what it measures in one process: every evaluation, guesses' errors and cosines", async () => {
  const said = { out: "", err: "" };
  const edges = {
    ...testEdges(said),
    worker: nodeCommand(process.execPath),
    hub: hubCommand(process.execPath),
  };
  const report = ["--report", join(folder, "page.md"), "--name", "rings"];
  const args = [
    "compare",
    TWO_RINGS,
    "--seeds",
    "1",
    "--services",
    "--runs",
    join(folder, "runs"),
    ...report,
  ];
  expect(await runProgram(args, edges), said.err).toBe(0);
  const { systems } = JSON.parse(readFileSync(join(folder, "page/rings.json"), "utf8")) as Comparison;
  const [trial] = systems[0]!.trials;
  expect(trial!.curve.map(({ batch }) => batch)).toEqual(
    Array.from({ length: 10 }, (_, index) => 150 * (index + 1)),
  );
  expect(trial!.health.map(({ layer }) => layer)).toEqual([1, 2]);
  for (const { error, cosine } of trial!.health) {
    expect(error).toBeGreaterThan(0);
    expect(Math.abs(cosine!)).toBeLessThanOrEqual(1);
  }
  expect(trial!.kernels).not.toBe("unknown");
}, 60_000);
