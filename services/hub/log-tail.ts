import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { LogRecord } from "../../shared/record/hub-api.ts";
import { formatEvent } from "../../shared/record/log.ts";

const MOST_BYTES = 4 * 1024 * 1024;
const LEVELS = ["debug", "info", "warn", "error", "fatal"] as const;
type Level = (typeof LEVELS)[number];

interface LogQuery {
  readonly tail: number;
  /** This one and above. */
  readonly level?: Level | undefined;
  readonly text?: string | undefined;
}

/** The newest lines that are asked for, of what the last 4 MiB hold; the oldest first, none if there is no such log. */
export function logTail(path: string, { tail, level = "debug", text = "" }: LogQuery): LogRecord[] {
  const least = LEVELS.indexOf(level);
  const wanted = text.toLowerCase();
  return recordsOf(endOf(path))
    .filter((each) => LEVELS.indexOf(each.level) >= least && each.text.toLowerCase().includes(wanted))
    .slice(-tail);
}

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}

function recordsOf(text: string): LogRecord[] {
  const records: LogRecord[] = [];
  for (const line of text.split("\n")) if (line !== "") records.push(recordOf(line, records.at(-1)));
  return records;
}

/** What is not a line of the log, such as a stack that Node wrote, belongs to the moment before. */
function recordOf(line: string, before: LogRecord | undefined): LogRecord {
  const { said: _, ...record } = asRecord(line);
  if (record.level === undefined && record.msg === undefined) {
    return { at: before?.at ?? 0, level: "error", incarnation: before?.incarnation ?? 0, text: line };
  }
  const level = String(record.level);
  return {
    at: Date.parse(String(record.time)) || (before?.at ?? 0),
    level: isLevel(level) ? level : "info",
    incarnation: typeof record.incarnation === "number" ? record.incarnation : (before?.incarnation ?? 0),
    text: formatEvent(record),
  };
}

function asRecord(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function endOf(path: string): string {
  if (!existsSync(path)) return "";
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - MOST_BYTES);
    const bytes = Buffer.alloc(size - start);
    const text = bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, bytes.length, start));
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(descriptor);
  }
}
