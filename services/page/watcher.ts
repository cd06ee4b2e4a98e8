import type { RunRow, StreamEvents } from "../../shared/record/hub-api.ts";
import { fetchEvents, fetchMetrics, fetchRun, fetchRuns, listen } from "./hub.ts";
import { RunKnowledge } from "./knowledge.ts";

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Since then, by this machine's clock. */
  | { readonly kind: "reconnecting"; readonly since: number };

/** How far other runs are is asked for so often. */
const RUNS_EVERY_MS = 10_000;
/** Runs that are kept in memory beside the watched one. */
const MOST_RUNS = 4;

/** Everything the page knows, and who asks the hub for it. Calls `changed` whenever it knows more. */
export class Watcher {
  connection: Connection = { kind: "connecting" };
  runs: readonly RunRow[] = [];
  watched: string | undefined;
  /** Why something asked for is not there. */
  fault: string | undefined;
  readonly #known = new Map<string, RunKnowledge>();
  readonly #changed: () => void;
  /** The hub's clock before ours. */
  #aheadMs = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  start(): void {
    setInterval(() => this.connection.kind === "live" && this.refreshRuns(), RUNS_EVERY_MS);
    listen({
      hello: (said) => this.#onHello(said),
      workers: (said) => this.#onWorkers(said),
      metrics: (said) => this.#change(() => this.#watchedRun?.learnMetrics(said)),
      events: (said) => this.#change(() => this.#watchedRun?.learnEvents(said)),
      run: (row) => this.#onRun(row),
      lost: () => this.#onLost(),
    });
  }

  /** By the hub's clock. */
  get now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Undefined until it is fetched. */
  run(id: string | undefined): RunKnowledge | undefined {
    if (id === undefined) return undefined;
    const known = this.#known.get(id);
    if (known === undefined) this.#fetch(id);
    return known?.view === undefined ? undefined : known;
  }

  async refreshRuns(): Promise<void> {
    await this.#ask(async () => {
      this.runs = await fetchRuns();
    });
  }

  get #watchedRun(): RunKnowledge | undefined {
    return this.watched === undefined ? undefined : this.#known.get(this.watched);
  }

  #onHello({ run, now }: StreamEvents["hello"]): void {
    this.connection = { kind: "live" };
    this.#aheadMs = now - Date.now();
    this.watched = run === "" ? undefined : run;
    void this.refreshRuns();
    // What was missed while nobody listened is fetched; what is known already counts once.
    if (this.watched !== undefined) this.#fetch(this.watched);
    this.#changed();
  }

  #onWorkers(said: StreamEvents["workers"]): void {
    this.#aheadMs = said.now - Date.now();
    this.#change(() => this.#watchedRun?.learnWorkers(said));
  }

  #onRun(row: RunRow): void {
    void this.refreshRuns();
    if (row.state === "watched" && row.id !== this.watched) {
      this.watched = row.id;
      this.#fetch(row.id);
    }
    this.#change(() => this.#known.get(row.id)?.learnRow(row));
  }

  #onLost(): void {
    if (this.connection.kind !== "reconnecting")
      this.connection = { kind: "reconnecting", since: Date.now() };
    this.#changed();
  }

  #fetch(id: string): void {
    const run = this.#known.get(id) ?? new RunKnowledge(id);
    this.#known.set(id, run);
    this.#forget();
    void this.#ask(async () => {
      const [view, metrics, events] = await Promise.all([fetchRun(id), fetchMetrics(id), fetchEvents(id)]);
      run.learnView(view);
      run.learnEvents(events);
      run.learnMetrics(metrics);
    });
  }

  #forget(): void {
    const others = [...this.#known.keys()].filter((id) => id !== this.watched);
    for (const id of others.slice(0, -MOST_RUNS)) this.#known.delete(id);
  }

  async #ask(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.fault = undefined;
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
    }
    this.#changed();
  }

  #change(work: () => void): void {
    work();
    this.#changed();
  }
}
