/**
 * node .ci/sum.mjs FOLDER : for each step the folder holds NAME.status, its exit code, and NAME.json, vitest's report,
 * if it ran tests. Names what failed once more, so that the end of a long output tells it, and ends with the line
 * "N passed, N failed"; exits 1 if anything failed, or nothing ran.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const folder = process.argv[2];
const steps = readdirSync(folder).filter((name) => name.endsWith(".status"));
const counts = steps.map((name) => countStep(name.slice(0, -".status".length)));
const skipped = total("skipped");
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${total("passed")} passed, ${total("failed")} failed`);
process.exitCode = total("failed") > 0 || total("passed") === 0 ? 1 : 0;

function total(key) {
  return counts.reduce((sum, count) => sum + count[key], 0);
}

function countStep(step) {
  const count = countTests(step);
  const status = readFileSync(join(folder, `${step}.status`), "utf8").trim();
  if (status === "0" || count.failed > 0) return count;
  // Types, lint, a crash, the time limit: something failed and no test says so.
  console.log(`failed: ${step}, exit ${status}`);
  return { ...count, failed: 1 };
}

function countTests(step) {
  const file = join(folder, `${step}.json`);
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  report.testResults.forEach((result) => {
    nameFailures(step, result);
  });
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(failedToLoad).length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function nameFailures(step, result) {
  const name = relative(process.cwd(), result.name);
  if (failedToLoad(result)) console.log(`failed: ${step}, ${name}: ${shorten(result.message)}`);
  for (const test of result.assertionResults.filter(({ status }) => status === "failed")) {
    console.log(`failed: ${step}, ${name}: ${test.fullName}\n${shorten(test.failureMessages.join("\n"))}`);
  }
}

/** The start of a failure's text: what was expected and what was found; the rest stands further up. */
function shorten(text) {
  return text.length > 1500 ? `${text.slice(0, 1500)} …` : text;
}

function failedToLoad({ status, assertionResults }) {
  return status === "failed" && assertionResults.every((test) => test.status !== "failed");
}
