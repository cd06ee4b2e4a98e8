import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { FollowedFile } from "../../shared/record/files/followed-file.ts";
import { formatEvent } from "../../shared/record/log.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { logFile } from "../train/run-folder.ts";
import { wholeNumber } from "./arguments.ts";
import { findRun } from "./find-run.ts";

const LEVELS = ["debug", "info", "warn", "error", "fatal"];
const LOOK_MS = 250;
const MOST_TAIL = 100_000;

interface LogsOptions {
  readonly run?: string;
  readonly runs: string;
  readonly follow: boolean;
  readonly tail: string;
  readonly level: string;
  readonly grep?: string;
  readonly json: boolean;
}

export function addLogs(program: Command, edges: Edges): void {
  program
    .command("logs")
    .description("show the log of a worker across its lives, also when it is dead")
    .argument("<worker>", "source, layer1, layer2, …")
    .option("--run <run>", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option("-f, --follow", "go on with what is written from now on, until Ctrl-C", false)
    .option("-n, --tail <n>", "how many lines of what is there", "100")
    .addOption(new Option("--level <level>", "this one and above").choices(LEVELS).default("debug"))
    .option("--grep <expression>", "only lines that match, capitals or not")
    .option("--json", "lines as they were written", false)
    .action((worker: string, options: LogsOptions) => logs(worker, options, edges));
}

async function logs(worker: string, options: LogsOptions, edges: Edges): Promise<void> {
  const path = requireLog(findRun(options.runs, options.run), worker);
  const isWanted = filterOf(options);
  const show = (line: string) => edges.out.write(`${options.json ? line : readable(line)}\n`);
  const tail = Math.min(MOST_TAIL, wholeNumber("--tail", options.tail));
  const newest: string[] = [];
  const keep = (line: string) => {
    if (line === "" || !isWanted(line)) return;
    newest.push(line);
    if (newest.length >= 2 * tail) newest.splice(0, newest.length - tail);
  };
  const file = new FollowedFile(path);
  try {
    for (const part of [new FollowedFile(olderLog(path)), file]) {
      for (const line of part.read()) keep(line);
      if (!options.follow || part !== file) keep(part.rest);
      if (part !== file) part.close();
    }
    for (const line of newest.slice(-tail)) show(line);
    if (options.follow) {
      await untilSignal(edges, () => {
        for (const line of file.read()) if (line !== "" && isWanted(line)) show(line);
      });
    }
  } finally {
    file.close();
  }
}

/** Where the hub puts what became too long. */
function olderLog(path: string): string {
  return path.replace(/\.log$/, ".1.log");
}

function requireLog(folder: string, worker: string): string {
  const path = logFile(folder, worker);
  if (/^[\w-]+$/.test(worker) && existsSync(path)) return path;
  const logs = join(folder, "logs");
  const names = existsSync(logs) ? readdirSync(logs).filter((name) => /^[\w-]+\.log$/.test(name)) : [];
  const known = names.map((name) => name.replace(/\.log$/, "")).toSorted();
  const found = known.length === 0 ? "there is none" : `there are ${known.join(", ")}`;
  throw new Refusal(`Cannot show the log of ${worker}: in ${logs} ${found}`);
}

/** Throws a Refusal at an expression that is none. */
function filterOf({ level, grep }: LogsOptions): (line: string) => boolean {
  const least = LEVELS.indexOf(level);
  const pattern = grep === undefined ? undefined : expressionOf(grep);
  return (line) => levelOf(line) >= least && (pattern === undefined || pattern.test(readable(line)));
}

function expressionOf(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (error) {
    throw new Refusal(`Cannot filter by ${text}: ${(error as Error).message}`, { cause: error });
  }
}

// What is not JSON was written by Node itself as it died.
function levelOf(line: string): number {
  const level = LEVELS.indexOf(String(recordOf(line)?.level ?? "error"));
  return level < 0 ? 1 : level;
}

function readable(line: string): string {
  const record = recordOf(line);
  return record === undefined ? line : formatEvent(record);
}

function recordOf(line: string): { readonly [key: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return undefined;
    const { said: _, ...record } = value as { readonly [key: string]: unknown };
    return record;
  } catch {
    return undefined;
  }
}

/** Looks now and then, until somebody wants it to end. */
export async function untilSignal(
  edges: Edges,
  look: () => unknown,
  everyMs = LOOK_MS,
  onEnd: (end: () => void) => () => void = () => () => undefined,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let isLooking = false;
    const timer = setInterval(async () => {
      if (isLooking) return;
      isLooking = true;
      try {
        await look();
      } catch (error) {
        end();
        reject(error);
      }
      isLooking = false;
    }, everyMs);
    const end = () => {
      clearInterval(timer);
      off();
      offEnd();
      resolve();
    };
    const off = edges.onSignal(end);
    const offEnd = onEnd(end);
  });
}
