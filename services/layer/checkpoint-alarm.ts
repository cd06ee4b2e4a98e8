import { LogThrottle } from "../worker/log-throttle.ts";
import type { Worker } from "../worker/worker.ts";

/** That checkpoints fail, though training goes on: the next may work. Said at once, then every few seconds. */
export class CheckpointAlarm {
  readonly #worker: Pick<Worker, "log" | "event">;
  readonly #pace: LogThrottle;
  #why: string | undefined;

  constructor(worker: Pick<Worker, "log" | "event" | "now">) {
    this.#worker = worker;
    this.#pace = new LogThrottle(() => worker.now());
  }

  /** Why the last checkpoint failed; undefined if it did not. */
  get why(): string | undefined {
    return this.#why;
  }

  /** The last checkpoint that did not fail holds batch `durable`. */
  raise(error: Error, durable: number): void {
    const isNew = this.#why === undefined;
    this.#why = error.message;
    if (isNew) this.#pace.said();
    else if (!this.#pace.allows()) return;
    const { log } = this.#worker;
    if (isNew) this.#worker.event("alarm", error.message);
    log.error({ err: error, durable }, "checkpoint failed");
  }

  /** A checkpoint did not fail. */
  over(durable: number): void {
    if (this.#why === undefined) return;
    this.#why = undefined;
    this.#worker.log.info({ batch: durable }, "checkpoints work again");
    this.#worker.event("calm", "checkpoints work again");
  }
}
