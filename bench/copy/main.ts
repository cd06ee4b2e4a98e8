/**
 * How far a recurrent network gets in the copy task with windows of a few steps, with and without a synthetic gradient at
 * their end: writes docs/results/copy.json and its section of docs/results.md.
 *
 *     npm run copy
 *     npm run copy -- --seeds 1 --windows 5000     a glance, kept nowhere
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { placeSection } from "../../services/compare/compare-report.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { type ClimbOptions, climb } from "./climb.ts";
import { type CopyReport, type CopyTrial, renderCopy } from "./render.ts";

const PAGE = fileURLToPath(new URL("../../docs/results.md", import.meta.url));
const KEPT = fileURLToPath(new URL("../../docs/results/copy.json", import.meta.url));

const { values: asked } = parseArgs({ options: { seeds: { type: "string" }, windows: { type: "string" } } });

const options = {
  windows: Number(asked.windows ?? 60_000),
  symbols: 2,
  rows: 32,
  units: 64,
  rate: 0.001,
  generator: { rate: 0.001, hidden: [], scale: 0.5 },
};
const systems = [2, 3, 4].flatMap((steps) =>
  (["truncated", "synthetic"] as const).map((boundary) => ({ boundary, steps, trials: [] as CopyTrial[] })),
);
for (let seed = 1; seed <= Number(asked.seeds ?? 3); seed++) {
  for (const { boundary, steps, trials } of systems) {
    const trial = timed({ ...options, boundary, steps, seed });
    trials.push(trial);
    console.log(`windows of ${steps}, ${boundary}, seed ${seed}: ${trial.solvedAt.length} symbols`);
  }
}
const report: CopyReport = {
  command: "npm run copy",
  date: new Date().toISOString(),
  versions: [`node ${process.version}`, "kernels wasm"],
  options,
  systems,
};
console.log(`\n${renderCopy(report)}`);
if (Object.keys(asked).length === 0) {
  writeFileSync(KEPT, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(PAGE, placeSection(readFileSync(PAGE, "utf8"), "copy", renderCopy(report)));
}

function timed(climbing: ClimbOptions): CopyTrial {
  const before = process.cpuUsage();
  const found = climb(wasmKernels(), climbing);
  const { user, system } = process.cpuUsage(before);
  return { ...found, cpuSeconds: (user + system) / 1e6 };
}
