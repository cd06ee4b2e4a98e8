import type { RunRow, RunView, StreamEvents, WorkerView } from "../../shared/record/hub-api.ts";
import type { EventLine, MetricLine } from "../../shared/record/lines.ts";
import { batchesPerSecond, keepPace, type Pace } from "../../shared/record/pace.ts";
import { StandingRecord } from "../../shared/record/standing.ts";
import { isWorkerName } from "../../shared/record/worker-name.ts";

/** Segments of a worker and events that are kept of a run; beyond, segments are merged and the oldest events go. */
const MOST_SEGMENTS = 4_000;
const MOST_EVENTS = 2_000;

/** What is known of one run. Lines may come twice and in any order: from the files and from the stream. */
export class RunKnowledge {
  readonly id: string;
  view: RunView | undefined;
  workers: readonly WorkerView[] = [];
  readonly record = new StandingRecord({ most: MOST_SEGMENTS });
  events: readonly EventLine[] = [];
  /** Rises with every change of the record or the events. */
  version = 0;
  readonly #known = new Set<string>();
  #pace: Pace = [];

  constructor(id: string) {
    this.id = id;
  }

  learnView(view: RunView): void {
    this.view = view;
    this.workers = view.workers;
  }

  learnRow(row: RunRow): void {
    if (this.view) this.view = { ...this.view, row };
  }

  learnWorkers({ now, workers }: StreamEvents["workers"]): void {
    this.workers = workers;
    this.#pace = keepPace(this.#pace, now, slowestCursor(workers));
  }

  learnMetrics(lines: readonly MetricLine[]): void {
    for (const line of lines) this.record.add(line);
    this.version += 1;
  }

  learnEvents(lines: readonly EventLine[]): void {
    const fresh = lines.filter((line) => this.#isNew(line));
    if (fresh.length === 0) return;
    for (const line of fresh) if (isWorkerName(line.worker)) this.record.add(line);
    const all = [...this.events, ...fresh].sort((a, b) => a.at - b.at);
    for (const old of all.slice(0, -MOST_EVENTS)) this.#known.delete(keyOf(old));
    this.events = all.slice(-MOST_EVENTS);
    this.version += 1;
  }

  get startedAt(): number {
    const said = Date.parse(this.view?.row.startedAt ?? "");
    return Number.isNaN(said) ? (this.events[0]?.at ?? 0) : said;
  }

  /** Of the layer that is furthest behind: the run is as far as that. */
  get batch(): number {
    return Math.max(
      this.view?.row.state === "watched" ? -1 : (this.view?.row.batch ?? -1),
      slowestCursor(this.workers),
    );
  }

  /** Undefined while too little is known, or nothing moves. */
  get secondsLeft(): number | undefined {
    const batches = this.view?.row.batches;
    const perSecond = batchesPerSecond(this.#pace);
    return batches === undefined || perSecond === undefined
      ? undefined
      : (batches - 1 - this.batch) / perSecond;
  }

  #isNew(line: EventLine): boolean {
    const key = keyOf(line);
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }
}

function keyOf({ worker, incarnation, at, name, text }: EventLine): string {
  return [worker, incarnation, at, name, text].join("\n");
}

function slowestCursor(workers: readonly WorkerView[]): number {
  const cursors = workers.filter(({ layer }) => layer !== undefined).map(({ batch }) => batch);
  return cursors.length === 0 ? -1 : Math.min(...cursors);
}
