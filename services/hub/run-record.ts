import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { RunRow } from "../../shared/record/hub-api.ts";
import type { EventLine, EventName, MetricLine } from "../../shared/record/lines.ts";
import { recordLines, startOf } from "../../shared/record/run-files.ts";
import { StandingRecord } from "../../shared/record/standing.ts";
import { layerName } from "../../shared/record/worker-name.ts";

/** Segments of a worker that are kept in memory; beyond it neighbours are merged. Some 200 bytes each. */
const MOST_SEGMENTS = 10_000;
const MOST_EVENTS = 5_000;

const LEAVINGS: ReadonlySet<EventName> = new Set<EventName>(["finished", "stopped", "fenced", "poisoned"]);

interface Past {
  readonly incarnation: number;
  /** Milliseconds since 1970; undefined for a worker that the record does not know. */
  readonly heardAt?: number;
  /** Why it left, if it did. */
  readonly end: string | undefined;
}

/** What the files of a run say, in bounded memory. */
export class RunRecord {
  readonly id: string;
  readonly folder: string;
  readonly config: Config;
  readonly startedAt: string;
  readonly standing = new StandingRecord({ most: MOST_SEGMENTS });
  readonly #events: EventLine[] = [];

  /** With its config only. Throws a ConfigError where there is none. */
  constructor(id: string, folder: string) {
    this.id = id;
    this.folder = folder;
    this.config = loadConfig(join(folder, "config.yaml")).config;
    this.startedAt = new Date(startOf(folder)).toISOString();
  }

  /** With all that its files say. */
  static read(id: string, folder: string): RunRecord {
    const record = new RunRecord(id, folder);
    for (const line of recordLines(folder)) record.add(line);
    return record;
  }

  add(line: MetricLine | EventLine): void {
    this.standing.add(line);
    if (line.kind !== "event") return;
    this.#events.push(line);
    if (this.#events.length > MOST_EVENTS) this.#events.splice(0, MOST_EVENTS / 5);
  }

  /** The newest of them, the oldest first. */
  events(tail: number): readonly EventLine[] {
    return this.#events.slice(-tail);
  }

  /** How a worker stood when it was last heard of. */
  pastOf(worker: string): Past {
    const events = this.#events.filter((each) => each.worker === worker);
    const [segment, event] = [this.standing.segments(worker).at(-1), events.at(-1)];
    const lives = [segment?.incarnation ?? 0, ...events.map(({ incarnation }) => incarnation)];
    const hasLeft = event !== undefined && LEAVINGS.has(event.name);
    const end = hasLeft ? event.name : isFinished(this.folder) ? "finished" : undefined;
    const isKnown = segment !== undefined || event !== undefined;
    const heardAt = isKnown ? Math.max(segment?.at ?? 0, event?.at ?? 0) : undefined;
    return { incarnation: Math.max(...lives), end, ...(heardAt !== undefined && { heardAt }) };
  }

  /** `isWatched`: by whoever asks, or by another hub. */
  row(isWatched: boolean): RunRow {
    const { id, config, startedAt, standing } = this;
    const test = standing.evaluations.at(-1)?.test;
    const batch = standing.segments(layerName(config.layers.length)).at(-1)?.last ?? -1;
    const state = isWatched ? "watched" : isFinished(this.folder) ? "finished" : "stopped";
    const { batches } = config.run;
    return { id, name: config.name, startedAt, state, batch, batches, ...(test && { test }) };
  }
}

export function isFinished(folder: string): boolean {
  return existsSync(join(folder, "summary.json"));
}
