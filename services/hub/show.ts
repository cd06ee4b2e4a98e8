import { rowOf } from "../../shared/record/run-view.ts";
import type { Streams } from "./streams.ts";
import type { Watch } from "./watch.ts";

const SHOW_MS = 500;
const SHOW_AGAIN_MS = 2_000;

/** Tells the readers of streams how the workers stand: twice a second while they say something, else every two seconds. */
export class Show {
  readonly #streams: Streams;
  readonly #watch: Watch;
  readonly #now: () => number;
  readonly #steadyMs: () => number;
  #soon: NodeJS.Timeout | undefined;
  #idling: NodeJS.Timeout | undefined;
  #shownMs = Number.NEGATIVE_INFINITY;
  #wasFinished: boolean;

  constructor(
    streams: Streams,
    watch: Watch,
    { now, steadyMs }: { readonly now: () => number; readonly steadyMs: () => number },
  ) {
    this.#streams = streams;
    this.#watch = watch;
    this.#now = now;
    this.#steadyMs = steadyMs;
    this.#wasFinished = watch.record.isFinished;
  }

  /** As long as somebody looks. */
  soon(): void {
    if (this.#streams.size === 0 || this.#soon !== undefined) return;
    const wait = Math.max(0, this.#shownMs + SHOW_MS - this.#steadyMs());
    this.#soon = setTimeout(() => this.now(), wait);
  }

  /** A worker that died may be back before the figures are due again, and would never be shown as dead. */
  now(): void {
    if (this.#streams.size === 0) return;
    this.close();
    this.#shownMs = this.#steadyMs();
    this.#streams.say("workers", { now: this.#now(), workers: this.#watch.views() });
    this.#lookForEnd();
    this.#idling = setTimeout(() => this.soon(), SHOW_AGAIN_MS);
  }

  close(): void {
    clearTimeout(this.#soon);
    clearTimeout(this.#idling);
    this.#soon = undefined;
  }

  #lookForEnd(): void {
    const { record } = this.#watch;
    if (record.isFinished === this.#wasFinished) return;
    this.#wasFinished = record.isFinished;
    this.#streams.say("run", rowOf(record, record.isFinished ? "finished" : "watched"));
  }
}
