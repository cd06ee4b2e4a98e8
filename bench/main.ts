/**
 * Measures, side by side, what docs/performance.md says:
 *
 *     npm run bench                  all of it
 *     npm run bench -- link unlock   some of it
 *     npm run bench -- link --quick  a glance, kept nowhere
 *     npm run bench -- memory --long as long as the bar says
 *     npm run bench -- --render      only the page again, from what was kept in docs/performance/
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "./harness/bench.ts";
import { renderPage, renderReport } from "./harness/render.ts";
import { isMet, type Report } from "./harness/report.ts";

const registry: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  kernels: () => import("./kernels/bench.ts"),
  link: () => import("./link/bench.ts"),
  pipeline: () => import("./pipeline/bench.ts"),
  gpt: () => import("./gpt/bench.ts"),
  unlock: () => import("./unlock/bench.ts"),
  depth: () => import("./depth/bench.ts"),
  memory: () => import("./memory/bench.ts"),
  watch: () => import("./watch/bench.ts"),
  precision: () => import("./precision/bench.ts"),
  fuzz: () => import("./fuzz/bench.ts"),
  scale: () => import("./scale/bench.ts"),
  model: () => import("./model/bench.ts"),
  kills: () => import("./kills/bench.ts"),
  store: () => import("./store/bench.ts"),
};

const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const KEPT = fileURLToPath(new URL("../docs/performance", import.meta.url));
const flag = { type: "boolean", default: false } as const;

const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: flag, long: flag, render: flag },
});
process.exitCode = await main();

async function main(): Promise<number> {
  const unknown = positionals.filter((name) => !Object.hasOwn(registry, name));
  if (unknown.length > 0) {
    console.error(`Cannot measure ${unknown.join(", ")}: there are ${Object.keys(registry).join(", ")}`);
    return 78;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(registry);
  if (!asked.render) for (const name of names) await measure(name);
  if (!asked.quick)
    writeFileSync(PAGE, renderPage(existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "", kept()));
  return 0;
}

async function measure(name: string): Promise<void> {
  const { bench } = await registry[name]!();
  console.log(`— ${name}: ${bench.title}`);
  const before = loadavg()[0]!;
  const findings = await bench.run({
    isQuick: asked.quick,
    isLong: asked.long,
    python: process.env.PYTHON ?? "python3",
    say: (line) => console.log(`  ${line}`),
  });
  const report: Report = {
    name,
    title: bench.title,
    command: `npm run bench -- ${[name, ...(asked.quick ? ["--quick"] : []), ...(asked.long ? ["--long"] : [])].join(" ")}`,
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    load: [before, loadavg()[0]!],
    ...findings,
    versions: [`node ${process.version}`, ...(findings.versions ?? [])],
  };
  console.log(`\n${renderReport(report)}\n`);
  if (!asked.quick) keep(report);
  for (const bar of report.tables.flatMap(({ bars }) => bars)) {
    if (!isMet(bar)) console.log(`  not met: ${bar.of}`);
  }
}

function keep(report: Report): void {
  mkdirSync(KEPT, { recursive: true });
  for (const { plot } of report.tables) if (plot) writeFileSync(`${KEPT}/${plot.file}`, plot.svg);
  const tables = report.tables.map(({ plot, ...table }) => ({
    ...table,
    ...(plot ? { plot: { file: plot.file, svg: "" } } : {}),
  }));
  writeFileSync(`${KEPT}/${report.name}.json`, `${JSON.stringify({ ...report, tables }, null, 2)}\n`);
}

/** What was ever kept, in the order of the registry. */
function kept(): Report[] {
  const files = existsSync(KEPT) ? readdirSync(KEPT) : [];
  const names = Object.keys(registry).filter((name) => files.includes(`${name}.json`));
  return names.map((name) => JSON.parse(readFileSync(`${KEPT}/${name}.json`, "utf8")) as Report);
}
