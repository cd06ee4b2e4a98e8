import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { LogLine } from "../support/processes/experiment.ts";

/** The lines of a log that others write: those so far, and those to come. */
export class LogTail {
  readonly lines: LogLine[] = [];
  readonly #path: string;
  #read = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes in what was written since; a line half written waits. */
  refresh(): readonly LogLine[] {
    const texts = (this.#rest + this.#readOn()).split("\n");
    this.#rest = texts.pop()!;
    for (const text of texts) {
      const line = parse(text);
      if (line) this.lines.push(line);
    }
    return this.lines;
  }

  #readOn(): string {
    try {
      const file = openSync(this.#path, "r");
      try {
        const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#read));
        const count = readSync(file, bytes, 0, bytes.length, this.#read);
        this.#read += count;
        return bytes.toString("utf8", 0, count);
      } finally {
        closeSync(file);
      }
    } catch {
      return "";
    }
  }
}

/** Undefined where the text is no line of a log: a process killed while it wrote leaves half a one. */
function parse(text: string): LogLine | undefined {
  try {
    return text.startsWith("{") ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
