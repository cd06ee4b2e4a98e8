/** Of what was noticed, that long; then it may be another story. */
const REMEMBERED_MS = 300_000;
/** Of a process that gets less of its machine than one part in so many, the rest counts as being stopped. */
const LEAST_SHARE = 8;
/** No peer is believed to be busy for longer. */
const MOST_MS = 60_000;
const BUSY = /^busy (\d{1,9})$/;

/** Where a process stood at one look: a steady clock, and the processor time it has had, both in milliseconds. */
interface Look {
  readonly at: number;
  readonly cpuMs: number;
}

/**
 * How long this process computes at a stretch, hearing and answering nothing: between two looks at it that were to
 * be made one interval apart. A process that was stopped has computed nothing meanwhile, and is not busy.
 */
export class Busy {
  readonly #now: () => number;
  readonly #cpuMs: () => number;
  #longestMs = 0;
  #noticedAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number, cpuMs: () => number) {
    this.#now = now;
    this.#cpuMs = cpuMs;
  }

  look(): Look {
    return { at: this.#now(), cpuMs: this.#cpuMs() };
  }

  /** The next look, and what has passed since the last one. */
  lookAgain(last: Look): Look {
    const look = this.look();
    const busyMs = Math.min(look.at - last.at, LEAST_SHARE * (look.cpuMs - last.cpuMs));
    if (busyMs >= this.ms) {
      this.#longestMs = busyMs;
      this.#noticedAt = look.at;
    }
    return look;
  }

  /** The longest stretch of the last minutes. */
  get ms(): number {
    return this.#now() - this.#noticedAt < REMEMBERED_MS ? this.#longestMs : 0;
  }
}

/** What a ping says of the process that sends it: nothing, where it answers within two intervals anyway. */
export function busyWord(busy: Busy | undefined, intervalMs: number): string {
  const ms = busy?.ms ?? 0;
  return ms < 2 * intervalMs ? "" : `busy ${Math.ceil(ms)}`;
}

export function isBusyWord(ping: Buffer): boolean {
  return BUSY.test(ping.toString("latin1"));
}

/** How long its sender is at times silent, in milliseconds, as such a ping says; 0 if it says nothing of it. */
export function busyMsIn(ping: Buffer): number {
  const [, ms = "0"] = BUSY.exec(ping.toString("latin1")) ?? [];
  return Math.min(MOST_MS, Number(ms));
}
