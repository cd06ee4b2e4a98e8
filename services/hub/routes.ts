import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { dataFacts } from "../../shared/config/data-facts.ts";
import type { ControlView, RunView } from "../../shared/record/hub-api.ts";
import { toCsv } from "../../shared/record/metrics-csv.ts";
import type { RunRecord } from "../../shared/record/run-record.ts";
import { viewOfRun } from "../../shared/record/run-view.ts";
import { workerNames } from "../../shared/record/worker-name.ts";
import { answerFile, answerJson, answerText, HttpError } from "./answer.ts";
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

interface Sources {
  readonly runs: Runs;
  readonly watch: Watch | undefined;
  readonly control: ControlView;
  readonly now: () => number;
}

/** GET /api/runs and all below. Rejects with an HttpError where there is no such thing. */
export async function answerRuns(url: URL, response: ServerResponse, sources: Sources): Promise<void> {
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
      return answerRecordFile(record, name, response);
  }
  throw new HttpError(404, "there is nothing here");
}

function answerRun(record: RunRecord, { runs, watch, control, now }: Sources): RunView {
  const isOurs = watch?.record === record;
  const { config } = record;
  const data = dataFacts(config.data);
  if (isOurs) return { row: runs.rowOf(record), config, data, workers: watch.views(), control };
  return { ...viewOfRun(record, now()), row: runs.rowOf(record), control: { ...control, isOn: false } };
}

async function answerRecordFile(record: RunRecord, name: string, response: ServerResponse): Promise<void> {
  const { path, file, type } = placeOf(record, name);
  response.setHeader("content-disposition", `attachment; filename="${record.id}-${file}"`);
  if (path !== undefined)
    return answerFile(response, path, { "content-type": type, "cache-control": "no-store" });
  answerText(response, toCsv(record.standing.lines()), type);
}

/** `path` is undefined for what is made when it is asked for. */
function placeOf(record: RunRecord, name: string) {
  if (name === "metrics.csv") return { path: undefined, file: name, type: "text/csv; charset=utf-8" };
  if (Object.hasOwn(FILES, name)) return { path: join(record.folder, name), file: name, type: FILES[name]! };
  const worker = /^logs\/(.*?)(?:\.log)?$/s.exec(name)?.[1];
  if (worker === undefined) throw new HttpError(404, `there is no file ${name}`);
  return { path: logPath(record, worker), file: `${worker}.log`, type: "text/plain; charset=utf-8" };
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
