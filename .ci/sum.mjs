/**
 * node .ci/sum.mjs FOLDER : for each step the folder holds NAME.status, its exit code, and NAME.json, vitest's report,
 * if it ran tests. Ends with the line "N passed, N failed"; exits 1 if anything failed, or nothing ran.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const steps = readdirSync(folder).filter((name) => name.endsWith(".status"));
const counts = steps.map((name) => countStep(join(folder, name.slice(0, -".status".length))));
const skipped = total("skipped");
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${total("passed")} passed, ${total("failed")} failed`);
process.exitCode = total("failed") > 0 || total("passed") === 0 ? 1 : 0;

function total(key) {
  return counts.reduce((sum, count) => sum + count[key], 0);
}

function countStep(path) {
  const count = countTests(`${path}.json`);
  const isBroken = readFileSync(`${path}.status`, "utf8").trim() !== "0";
  // Types, lint, a crash, the time limit: something failed and no test says so.
  return isBroken && count.failed === 0 ? { ...count, failed: 1 } : count;
}

function countTests(file) {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(failedToLoad).length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function failedToLoad({ status, assertionResults }) {
  return status === "failed" && assertionResults.every((test) => test.status !== "failed");
}
