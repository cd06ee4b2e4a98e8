import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { EventLine, MetricLine } from "../lines.ts";
import { byPlace, isWorkerName } from "../worker-name.ts";
import { eventFileHead, eventRecord, stepOf } from "./records.ts";

/** Event files for TensorBoard, a folder for each worker, in which each line of a record becomes an event. */
export class EventFiles {
  readonly #folder: string;
  readonly #files = new Map<string, number>();
  /** By worker and kind of line the highest step that is told. */
  readonly #told = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** In the order of their lives. Throws where a file cannot be written, or is there already. */
  write(lines: readonly (MetricLine | EventLine)[]): void {
    for (const line of lines.filter(isOfWorker).toSorted(inTime)) {
      const bytes = this.#isNew(line) ? eventRecord(line) : undefined;
      if (bytes !== undefined) writeSync(this.#fileOf(line), bytes);
    }
  }

  /** A life says again what its checkpoint knows of, in case nobody heard it before. */
  #isNew(line: MetricLine | EventLine): boolean {
    const step = stepOf(line);
    if (step === undefined) return false;
    if (line.kind === "event") {
      for (const [key, told] of this.#told)
        if (key.startsWith(`${line.worker} `)) this.#told.set(key, Math.min(told, step - 1));
      return true;
    }
    const key = `${line.worker} ${line.kind}`;
    if (step <= (this.#told.get(key) ?? -1)) return false;
    this.#told.set(key, step);
    return true;
  }

  get workers(): string[] {
    return [...this.#files.keys()].toSorted(byPlace);
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
  }

  #fileOf({ worker, at }: MetricLine | EventLine): number {
    const known = this.#files.get(worker);
    if (known !== undefined) return known;
    const folder = join(this.#folder, worker);
    mkdirSync(folder, { recursive: true });
    // Two files of one worker would be drawn as one curve that goes to and fro.
    const file = openSync(join(folder, `events.out.tfevents.${Math.floor(at / 1000)}.unlocked`), "wx");
    this.#files.set(worker, file);
    writeSync(file, eventFileHead(at));
    return file;
  }
}

function isOfWorker({ worker }: MetricLine | EventLine): boolean {
  return isWorkerName(worker);
}

// A life's beginning stands in another file than what it learnt.
function inTime(a: MetricLine | EventLine, b: MetricLine | EventLine): number {
  return a.incarnation - b.incarnation || a.at - b.at;
}
