import { formatEvent } from "../../shared/record/log.ts";

const MOST_LINES = 6;

/** The lines of one life's log that may say why it ended: errors and what is not JSON, else simply the last three. */
export function lastWords(log: string): string[] {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const telling = lines.filter(isTelling).flatMap(readable);
  return telling.length > 0 ? telling.slice(-MOST_LINES) : lines.slice(-3).flatMap(readable);
}

/** Of those lines the one to quote where there is room for one only. */
export function lastWord(words: readonly string[]): string | undefined {
  const line = words.findLast((word) => /Error\b|\bERROR\b|\bFATAL\b/.test(word)) ?? words.at(-1);
  return line?.trim();
}

function isTelling(line: string): boolean {
  const record = parse(line);
  return record ? record.level === "error" || record.level === "fatal" : !isNoise(line);
}

// What Node prints around an uncaught error: where it was thrown, the stack, its own version.
function isNoise(line: string): boolean {
  return /^\s+at |^\s*\^+\s*$|^Node\.js v|^node:|^file:\/\/|^\s*throw /.test(line);
}

function readable(line: string): string[] {
  const record = parse(line);
  const text = record ? formatEvent(record) : line;
  return text.split("\n").filter((part) => !/^\s+at /.test(part));
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === "object" && record !== null ? (record as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
