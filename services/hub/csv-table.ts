import { join } from "node:path";
import { toCsv } from "../../shared/record/metrics-csv.ts";
import type { RunRecord } from "../../shared/record/run-record.ts";
import { writeWhole } from "./write-whole.ts";

const REST_MS = 10_000;
/** Of its time a hub spends at most one part in so many on writing the same table anew. */
const SHARE = 50;

/** metrics.csv of a record, written now and then while lines come. */
export class CsvTable {
  readonly #record: RunRecord;
  readonly #warn: (about: object, message: string) => void;
  #timer: NodeJS.Timeout | undefined;
  /** From the first line that is not in the table to the writing of it. */
  #restMs = REST_MS;

  constructor(record: RunRecord, warn: (about: object, message: string) => void) {
    this.#record = record;
    this.#warn = warn;
  }

  /** There are lines that it does not have. */
  writeLater(): void {
    this.#timer ??= setTimeout(() => this.write(), this.#restMs);
  }

  /** Nothing where it has all lines. */
  write(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const began = performance.now();
    try {
      writeWhole(join(this.#record.folder, "metrics.csv"), toCsv(this.#record.standing.lines()));
    } catch (error) {
      this.#warn({ err: error }, "cannot write metrics.csv");
    }
    this.#restMs = Math.max(REST_MS, (performance.now() - began) * SHARE);
  }
}
