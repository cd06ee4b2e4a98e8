import { basename, join, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/read-config.ts";
import type { TestResult } from "../wire/frames.ts";
import { recordLines, startOf } from "./files/run-files.ts";
import type { EventLine, MetricLine } from "./lines.ts";
import { Recoveries } from "./outages/recoveries.ts";
import { deathWords } from "./outages/recovery.ts";
import { StandingRecord } from "./standing.ts";
import { isFinished, readSummary, type Summary } from "./summary.ts";
import { trainerOf } from "./trainer.ts";
import { layerName, type WorkerName, workerNames } from "./worker-name.ts";

/** Segments of a worker that are kept in memory; beyond it neighbours are merged. Some 200 bytes each. */
const MOST_SEGMENTS = 10_000;
const MOST_EVENTS = 10_000;
/** After so long without a line nobody is believed to be at work; on a slow network a segment takes seconds. */
export const QUIET_MS = 10_000;

export type RunState = "training" | "finished" | "stopped";

/** What the files of runs/<id> say of it, in bounded memory, whether or not somebody trains it. */
export class RunRecord {
  readonly id: string;
  readonly folder: string;
  readonly config: Config;
  readonly standing = new StandingRecord({ most: MOST_SEGMENTS });
  /** Of all events, also those that are kept no more. */
  readonly recoveries: Recoveries;
  readonly #events: EventLine[] = [];
  #newestAt = 0;
  #summary: Summary | undefined;

  /** With its config only. Throws a ConfigError where there is none. */
  constructor(folder: string, id = basename(resolve(folder))) {
    this.id = id;
    this.folder = folder;
    this.config = loadConfig(join(folder, "config.yaml")).config;
    this.recoveries = new Recoveries(this.config);
  }

  /** With all that its files say. */
  static read(folder: string, id?: string): RunRecord {
    const record = new RunRecord(folder, id);
    for (const line of recordLines(folder)) record.add(line);
    return record;
  }

  add(line: MetricLine | EventLine): void {
    this.standing.add(line);
    this.#newestAt = Math.max(this.#newestAt, line.at);
    if (line.kind !== "event") return;
    this.recoveries.add(line);
    this.#events.push(line);
    if (this.#events.length > MOST_EVENTS) this.#events.splice(0, MOST_EVENTS / 5);
  }

  /** The newest, in the order they were written. */
  get events(): readonly EventLine[] {
    return this.#events;
  }

  /** Such as "17 deaths, no trace"; undefined where nothing died, or no hub wrote down what happened. */
  get deaths(): string | undefined {
    if (this.#events.length === 0) return undefined;
    return deathWords(workerNames(this.config).map((name) => ({ name, ...this.recoveries.of(name) })));
  }

  /** Milliseconds since 1970. */
  get startedAt(): number {
    return startOf(this.folder);
  }

  /** When the newest line was said; `startedAt` while there is none. */
  get newestAt(): number {
    return this.#newestAt || this.startedAt;
  }

  /** There once the run has finished. Throws a RecordError where it cannot be read. */
  get summary(): Summary | undefined {
    if (this.isFinished) this.#summary ??= readSummary(this.folder);
    return this.#summary;
  }

  get isFinished(): boolean {
    return isFinished(this.folder);
  }

  /** A process on this machine trains it; or somebody who was started by hand has said something of late. */
  isTrained(now: number): boolean {
    if (this.isFinished) return false;
    return trainerOf(this.folder) !== undefined || Math.abs(now - this.#newestAt) < QUIET_MS;
  }

  state(now: number): RunState {
    return this.isFinished ? "finished" : this.isTrained(now) ? "training" : "stopped";
  }

  get head(): WorkerName {
    return layerName(this.config.layers.length);
  }

  /** The last that the head has applied; −1 before the first. */
  get batch(): number {
    return this.isFinished
      ? this.config.run.batches - 1
      : (this.standing.segments(this.head).at(-1)?.last ?? -1);
  }

  /** The newest that is known. */
  get test(): TestResult | undefined {
    const said = this.standing.evaluations.at(-1)?.test;
    if (said !== undefined) return said;
    try {
      return this.summary?.test;
    } catch {
      // A list of runs must not fail at one of them.
      return undefined;
    }
  }

  get seconds(): number {
    return this.summary?.wallSeconds ?? (this.newestAt - this.startedAt) / 1000;
  }
}
