import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { LineFile, linesOf } from "../../shared/record/files/line-file.ts";
import { RECORDED, recordedLine } from "../../shared/record/files/run-files.ts";
import type { EventLine, MetricLine } from "../../shared/record/lines.ts";
import type { Line } from "../../shared/telemetry/parse-telemetry.ts";

const MOST_METRIC_BYTES = 1024 * 1024 * 1024;
const MOST_EVENT_BYTES = 64 * 1024 * 1024;
const MOST_LOG_BYTES = 16 * 1024 * 1024;
/** How much of a log is searched for its senders: a worker that still lives spoke last. */
const LOG_TAIL_BYTES = 1024 * 1024;
/** Lives that are remembered, over all files; the one that spoke longest ago is forgotten first. */
const MOST_LIVES = 10_000;

/** A line and its sender. */
export interface SaidLine {
  readonly worker: string;
  readonly instance: string;
  readonly seq: number;
  readonly line: Line;
}

/**
 * The files of a run's record that only grow: metrics.ndjson, events.ndjson, logs/<worker>.log. Each line names its
 * sender, as `said: "instance/seq"`. So a hub that is started again knows from the files what they have, and each line is
 * in them once, however often it is sent. Nothing is flushed: a killed hub loses nothing, a loss of power may take the
 * last lines.
 */
export class RecordFiles {
  readonly #folder: string;
  readonly #keepsLogs: boolean;
  readonly #files = new Map<string, LineFile>();
  /** By file and instance the highest number in it: within a file the lines of one life are in order. */
  readonly #reached = new Map<string, number>();
  /** Lines that a full file had no room for. */
  #refused = 0;

  /** `tell` is told of every line that is there already. Throws when the folder cannot be used. */
  constructor(folder: string, keepsLogs: boolean, tell: (line: MetricLine | EventLine) => void) {
    this.#folder = folder;
    this.#keepsLogs = keepsLogs;
    mkdirSync(join(folder, "logs"), { recursive: true });
    for (const name of RECORDED) {
      this.#file(name);
      for (const text of linesOf(join(folder, name))) {
        this.#recall(name, text);
        const line = recordedLine(text);
        if (line !== undefined) tell(line);
      }
    }
    if (keepsLogs) this.#recallLogs();
  }

  get refused(): number {
    return this.#refused;
  }

  /**
   * Puts these lines into the files, but for those that are there; returns those it put. Throws when the disk does not
   * take them: some may be in, so that all are to be said again.
   */
  keep(lines: readonly SaidLine[]): SaidLine[] {
    const kept: SaidLine[] = [];
    for (const [name, group] of groupBy(lines, fileOf)) {
      const fresh = group.filter((each) => this.#isNew(name, each));
      if (fresh.length === 0) continue;
      const isKept =
        name.startsWith("logs/") && !this.#keepsLogs ? true : this.#append(name, fresh.map(textOf));
      if (!isKept) this.#refused += fresh.length;
      else kept.push(...fresh);
    }
    return kept;
  }

  /** What the hub itself has to say. Throws when the disk does not take it. */
  say(event: EventLine): void {
    this.#append("events.ndjson", [JSON.stringify(event)]);
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  #append(name: string, lines: readonly string[]): boolean {
    const isThere = this.#file(name).append(`${lines.join("\n")}\n`);
    for (const text of lines) this.#recall(name, text);
    return isThere;
  }

  #file(name: string): LineFile {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const path = join(this.#folder, name);
    const file = new LineFile(path, optionsOf(name, path));
    this.#files.set(name, file);
    return file;
  }

  // In a full file nothing is kept, and nothing waited for either.
  #isNew(name: string, { instance, seq }: SaidLine): boolean {
    return seq > (this.#reached.get(`${name} ${instance}`) ?? -1);
  }

  #recall(name: string, text: string): void {
    const [, instance, seq] = SAID.exec(text) ?? [];
    if (instance === undefined) return;
    const key = `${name} ${instance}`;
    const reached = Math.max(this.#reached.get(key) ?? -1, Number(seq));
    this.#reached.delete(key);
    this.#reached.set(key, reached);
    if (this.#reached.size > MOST_LIVES) this.#reached.delete(this.#reached.keys().next().value!);
  }

  #recallLogs(): void {
    for (const file of readdirSync(join(this.#folder, "logs"))) {
      const name = `logs/${file.replace(/\.1\.log$/, ".log")}`;
      const path = join(this.#folder, "logs", file);
      for (const text of linesOf(path, statSync(path).size - LOG_TAIL_BYTES)) this.#recall(name, text);
    }
  }
}

const SAID = /"said":"([\w-]+)\/(\d+)"\}$/;

function textOf({ line, instance, seq }: SaidLine): string {
  const said = `"said":"${instance}/${seq}"}`;
  const object = line.kind === "log" ? asObject(line.text) : JSON.stringify(line);
  return object === "{}" ? `{${said}` : `${object.slice(0, -1)},${said}`;
}

/** A log line is an object of pino's; whatever else it is, it becomes one. */
function asObject(text: string): string {
  const trimmed = text.trim();
  try {
    const value: unknown = JSON.parse(trimmed);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  } catch {}
  return JSON.stringify({ level: "info", msg: trimmed });
}

function fileOf({ worker, line }: SaidLine): string {
  if (line.kind === "log") return `logs/${worker}.log`;
  return line.kind === "event" ? "events.ndjson" : "metrics.ndjson";
}

function optionsOf(name: string, path: string) {
  if (name === "metrics.ndjson") return { mostBytes: MOST_METRIC_BYTES };
  if (name === "events.ndjson") return { mostBytes: MOST_EVENT_BYTES };
  return { mostBytes: MOST_LOG_BYTES, older: path.replace(/\.log$/, ".1.log") };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
