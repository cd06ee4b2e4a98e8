import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { ControlView, RunView } from "../../shared/record/hub-api.ts";
import { toCsv } from "../../shared/record/metrics-csv.ts";
import type { RunRecord } from "../../shared/record/run-record.ts";
import { viewOfRun } from "../../shared/record/run-view.ts";
import { workerNames } from "../../shared/record/worker-name.ts";
import { answerJson, answerText, HttpError } from "./answer.ts";
import { isLevel, logTail } from "./log-tail.ts";
import type { Runs } from "./runs.ts";
import type { Watch } from "./watch.ts";

const DEFAULT_POINTS = 2_000;
const DEFAULT_EVENTS = 1_000;
const DEFAULT_LOG_LINES = 500;
const MOST = 10_000;

const FILES: Readonly<Record<string, string>> = {
  "config.yaml": "text/yaml; charset=utf-8",
  "metrics.ndjson": "application/x-ndjson",
  "events.ndjson": "application/x-ndjson",
  "summary.json": "application/json",
};

export interface Sources {
  readonly runs: Runs;
  readonly watch: Watch | undefined;
  readonly control: ControlView;
  readonly now: () => number;
}

/** GET /api/runs and all below. Throws an HttpError where there is no such thing. */
export function answerRuns(url: URL, response: ServerResponse, sources: Sources): void {
  const [id, what, ...rest] = url.pathname
    .split("/")
    .slice(3)
    .map((part) => decoded(part));
  if (id === undefined || id === "") return answerJson(response, sources.runs.rows());
  const record = sources.runs.find(id);
  if (record === undefined) throw new HttpError(404, `there is no run ${id}`);
  const name = rest.join("/");
  switch (what) {
    case undefined:
      return answerJson(response, answerRun(record, sources));
    case "metrics":
      return answerJson(response, record.standing.lines(count(url, "points", DEFAULT_POINTS)));
    case "events":
      return answerJson(response, record.events.slice(-count(url, "tail", DEFAULT_EVENTS)));
    case "logs":
      return answerJson(response, logTail(logPath(record, name), logQuery(url)));
    case "files":
      return answerFile(record, name, response);
  }
  throw new HttpError(404, "there is nothing here");
}

function answerRun(record: RunRecord, { runs, watch, control, now }: Sources): RunView {
  const isOurs = watch?.record === record;
  const { config } = record;
  if (isOurs) return { row: runs.rowOf(record), config, workers: watch.views(), control };
  return { ...viewOfRun(record, now()), row: runs.rowOf(record), control: { ...control, isOn: false } };
}

function answerFile(record: RunRecord, name: string, response: ServerResponse): void {
  const isLog = name.startsWith("logs/");
  if (!isLog && name !== "metrics.csv" && FILES[name] === undefined) {
    throw new HttpError(404, `there is no file ${name}`);
  }
  const told = isLog ? name.slice(5) : name;
  const file = isLog && !told.endsWith(".log") ? `${told}.log` : told;
  response.setHeader("content-disposition", `attachment; filename="${record.id}-${file}"`);
  if (name === "metrics.csv") {
    return answerText(response, toCsv(record.standing.lines()), "text/csv; charset=utf-8");
  }
  const path = isLog ? logPath(record, told.replace(/\.log$/, "")) : join(record.folder, name);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new HttpError(404, `there is no file ${name} yet`);
  const type = FILES[name] ?? "text/plain; charset=utf-8";
  response.writeHead(200, { "content-type": type, "content-length": size, "cache-control": "no-store" });
  // A file that grows meanwhile is given as long as it was.
  if (size === 0) response.end();
  else createReadStream(path, { end: size - 1 }).pipe(response);
}

function logPath(record: RunRecord, worker: string): string {
  const known = [...workerNames(record.config), "train", "hub"];
  if (!known.includes(worker)) throw new HttpError(404, `there is no ${worker} in this run`);
  return join(record.folder, "logs", `${worker}.log`);
}

function logQuery({ searchParams }: URL) {
  const [level, text] = [searchParams.get("level"), searchParams.get("text")];
  if (level !== null && !isLevel(level)) throw new HttpError(400, `there is no level ${level}`);
  const tail = countOf(searchParams, "tail", DEFAULT_LOG_LINES);
  return { tail, level: level ?? undefined, text: text ?? undefined };
}

function count({ searchParams }: URL, name: string, otherwise: number): number {
  return countOf(searchParams, name, otherwise);
}

function countOf(params: URLSearchParams, name: string, otherwise: number): number {
  const text = params.get(name);
  if (text === null) return otherwise;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new HttpError(400, `${name} is "${text}", expected a whole number`);
  return Math.min(Number(text), MOST);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, "the address cannot be understood");
  }
}

export function isGet({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}
