import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { onTestFinished } from "vitest";
import type { EventLine, MetricLine } from "../../../shared/record/lines.ts";
import { standing } from "../../../shared/record/standing.ts";
import { Experiment } from "../processes/experiment.ts";

/** A run with a dashboard at a port of its own. It ends with the test. */
export async function runWithDashboard(
  config: string,
  set: readonly string[],
  options: readonly string[] = [],
): Promise<{ readonly run: Experiment; readonly url: string }> {
  const run = new Experiment(config, { set, options: ["--dashboard-port", "0", ...options] });
  onTestFinished(() => run.close());
  return { run, url: await dashboardOf(run) };
}

/** The address that a run printed, now or later, with its token where it has one. */
export async function dashboardOf(run: Experiment): Promise<string> {
  for (;;) {
    const found = /^dashboard: (\S+)$/m.exec(run.output);
    if (found) return found[1]!;
    const ended = await Promise.race([run.ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    if (ended) throw new Error(`the run ended without a dashboard:\n${run.output}`);
  }
}

/** The process of a run's hub, known by its command line; undefined while there is none. */
export function hubPid(run: Experiment): number | undefined {
  const folder = basename(realpathSync(run.folder));
  const found = readdirSync("/proc").find((name) => {
    const words = /^\d+$/.test(name) ? commandLine(name) : [];
    return words.includes("services/hub/main.ts") && words.some((word) => word.endsWith(folder));
  });
  return found === undefined ? undefined : Number(found);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** The lines of metrics.ndjson or events.ndjson; the last may be half written. */
export function recordLines<Line extends MetricLine | EventLine>(folder: string, file: string): Line[] {
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Line);
}

/** How often every batch from 0 to `last` is counted, once all is read with `standing`: the batches not counted once. */
export function notOnce(lines: readonly MetricLine[], worker: string, last: number): number[] {
  return countedOtherwise(standing(lines).segments(worker), last);
}

/** The same of segments as they are. */
function countedOtherwise(
  segments: readonly { readonly first: number; readonly last: number }[],
  last: number,
): number[] {
  const counts = new Uint32Array(last + 1);
  for (const segment of segments)
    for (let n = segment.first; n <= Math.min(last, segment.last); n++) counts[n]!++;
  return [...counts.keys()].filter((batch) => counts[batch] !== 1);
}
