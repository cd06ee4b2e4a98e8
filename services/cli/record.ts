import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { EventLine } from "../../shared/record/lines.ts";
import { recordLines, startOf } from "../../shared/record/run-files.ts";
import { StandingRecord } from "../../shared/record/standing.ts";
import type { Summary } from "../source/record.ts";
import { Refusal } from "../train/refusal.ts";
import { trainerOf } from "../train/run-lock.ts";

/** What the files of runs/<id> say of it, whether or not anybody trains it. */
export interface RunOnFile {
  readonly id: string;
  readonly folder: string;
  readonly config: Config;
  readonly startedAt: number;
  readonly standing: StandingRecord;
  /** The newest, in the order they were written. */
  readonly events: readonly EventLine[];
  /** When the newest line of it was said; `startedAt` while there is none. */
  readonly newestAt: number;
  /** There once the run has finished. */
  readonly summary: Summary | undefined;
  /** A process on this machine trains it. */
  readonly isTrained: boolean;
}

const MOST_SEGMENTS = 20_000;
const MOST_EVENTS = 10_000;
const NAMED = 5;

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

/**
 * The folder of a run: `wanted` is its id or the beginning of one, "latest", or the path of a folder; the newest if not
 * given. Throws a Refusal that names the newest where there is no such run, or several.
 */
export function findRun(runs: string, wanted?: string): string {
  if (wanted?.includes("/")) return requireRun(wanted);
  const ids = runIds(runs);
  if (ids.length === 0) throw new Refusal(`Cannot find a run: there is none in ${runs} yet`);
  if (wanted === undefined || wanted === "latest") return join(runs, ids[0]!);
  if (ids.includes(wanted)) return join(runs, wanted);
  const meant = ids.filter((id) => id.startsWith(wanted));
  if (meant.length === 1) return join(runs, meant[0]!);
  const found = meant.length > 1 ? `${meant.length} begin so: ` : `there is none in ${runs}; the newest are `;
  throw new Refusal(
    `Cannot find run ${wanted}: ${found}${(meant.length > 1 ? meant : ids).slice(0, NAMED).join(", ")}`,
  );
}

function requireRun(folder: string): string {
  if (existsSync(join(folder, "config.yaml"))) return folder;
  throw new Refusal(`Cannot find a run in ${folder}: no ${join(folder, "config.yaml")}`);
}

/** Throws a ConfigError where its config cannot be used, an Error where a file cannot be read. */
export function readRecord(folder: string): RunOnFile {
  const { config } = loadConfig(join(folder, "config.yaml"));
  const startedAt = startOf(folder);
  const standing = new StandingRecord({ most: MOST_SEGMENTS });
  const events: EventLine[] = [];
  let newestAt = startedAt;
  for (const line of recordLines(folder)) {
    standing.add(line);
    newestAt = Math.max(newestAt, line.at);
    if (line.kind !== "event") continue;
    events.push(line);
    if (events.length > MOST_EVENTS) events.splice(0, MOST_EVENTS / 5);
  }
  const id = basename(resolve(folder));
  const [summary, isTrained] = [summaryOf(folder), trainerOf(folder) !== undefined];
  return { id, folder, config, startedAt, standing, events, newestAt, summary, isTrained };
}

function summaryOf(folder: string): Summary | undefined {
  const path = join(folder, "summary.json");
  try {
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Summary) : undefined;
  } catch (error) {
    throw new Refusal(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
