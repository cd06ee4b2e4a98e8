import type { Logger } from "pino";
import type { EventName } from "../../shared/record/lines.ts";
import { LogThrottle } from "../worker/log-throttle.ts";

interface AlarmSurroundings {
  readonly log: Logger;
  now(): number;
  event(name: EventName, text: string): void;
}

/** That checkpoints fail, though training goes on: the next may work. Said at once, then every few seconds. */
export class CheckpointAlarm {
  readonly #around: AlarmSurroundings;
  readonly #pace: LogThrottle;
  #why: string | undefined;

  constructor(around: AlarmSurroundings) {
    this.#around = around;
    this.#pace = new LogThrottle(around.now);
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
    const { log } = this.#around;
    if (isNew) this.#around.event("alarm", error.message);
    log.error({ err: error, durable }, "checkpoint failed");
  }

  /** A checkpoint did not fail. */
  over(durable: number): void {
    if (this.#why === undefined) return;
    this.#why = undefined;
    this.#around.log.info({ batch: durable }, "checkpoints work again");
    this.#around.event("calm", "checkpoints work again");
  }
}
