import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EventLine, MetricLine } from "../lines.ts";
import { parseLine } from "../parse-line.ts";
import { linesOf } from "./line-file.ts";

/** The files of a record that only grow, in the order in which they are read. */
export const RECORDED = ["metrics.ndjson", "events.ndjson"] as const;

/** Metrics, then events, each as they were written. What a killed writer left of a line, and nonsense, is passed over. */
export function* recordLines(folder: string): Generator<MetricLine | EventLine> {
  for (const name of RECORDED) {
    for (const text of linesOf(join(folder, name))) {
      const line = recordedLine(text);
      if (line !== undefined) yield line;
    }
  }
}

/** Undefined where it is none. */
export function recordedLine(text: string): MetricLine | EventLine | undefined {
  try {
    return parseLine(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** When the run began, in milliseconds since 1970. */
export function startOf(folder: string): number {
  const path = join(folder, "started");
  const started = existsSync(path) ? Date.parse(readFileSync(path, "utf8").trim()) : Number.NaN;
  // Before the source has written it, and in records made by hand.
  return Number.isNaN(started) ? statSync(join(folder, "config.yaml")).mtimeMs : started;
}

/** The ids of the runs in a folder, newest first; none if there is no such folder. */
export function runIds(runs: string): string[] {
  if (!existsSync(runs)) return [];
  const folders = readdirSync(runs, { withFileTypes: true }).filter((each) => each.isDirectory());
  const dated = folders.flatMap(({ name }) => {
    const path = join(runs, name, "config.yaml");
    return existsSync(path) ? [{ name, at: startOf(join(runs, name)) }] : [];
  });
  return dated.toSorted((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1)).map(({ name }) => name);
}
