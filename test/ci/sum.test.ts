import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const SUM = resolve(".ci/sum.mjs");

function report(
  assertions: { status: string; fullName: string; failureMessages: string[] }[],
  status = "passed",
) {
  const count = (wanted: string) => assertions.filter((test) => test.status === wanted).length;
  return {
    numPassedTests: count("passed"),
    numFailedTests: count("failed"),
    numPendingTests: count("pending"),
    numTodoTests: 0,
    testResults: [{ name: resolve("test/a.test.ts"), status, message: "", assertionResults: assertions }],
  };
}

const PASSED = { status: "passed", fullName: "one and one are two", failureMessages: [] };
const FAILED = {
  status: "failed",
  fullName: "one and one are three",
  failureMessages: ["expected 2 to be 3"],
};

function sum(steps: Record<string, { status: number; report?: object }>) {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-sum-"));
  for (const [name, step] of Object.entries(steps)) {
    writeFileSync(join(folder, `${name}.status`), `${step.status}\n`);
    if (step.report) writeFileSync(join(folder, `${name}.json`), JSON.stringify(step.report));
  }
  const { status, stdout } = spawnSync(process.execPath, [SUM, folder], { encoding: "utf8" });
  return { status, lines: stdout.trim().split("\n") };
}

it("adds the tests of all steps up, in its last line", () => {
  const steps = {
    check: { status: 0 },
    test: { status: 0, report: report([PASSED, PASSED]) },
    slow: { status: 0, report: report([PASSED]) },
  };
  expect(sum(steps)).toEqual({ status: 0, lines: ["3 passed, 0 failed"] });
});

it("names a test that failed, its file, its step and why, just before its last line", () => {
  const { status, lines } = sum({ test: { status: 1, report: report([PASSED, FAILED], "failed") } });
  expect(status).toBe(1);
  expect(lines).toEqual([
    "failed: test, test/a.test.ts: one and one are three",
    "expected 2 to be 3",
    "1 passed, 1 failed",
  ]);
});

it("counts a file that could not be loaded, and a step that failed without a test to blame", () => {
  const { status, lines } = sum({ check: { status: 2 }, test: { status: 1, report: report([], "failed") } });
  expect(status).toBe(1);
  expect(lines).toEqual(["failed: check, exit 2", "failed: test, test/a.test.ts: ", "0 passed, 2 failed"]);
});

it("fails where nothing ran", () => {
  expect(sum({ check: { status: 0 } })).toEqual({ status: 1, lines: ["0 passed, 0 failed"] });
});
