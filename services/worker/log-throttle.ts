const LOG_MS = 5000;

/** How often something that happens all the time gets a line of log: every few seconds. */
export class LogThrottle {
  readonly #now: () => number;
  #at: number;

  /** `now`: milliseconds of a steady clock. The first line may be said at once, unless one was at `at`. */
  constructor(now: () => number, at = Number.NEGATIVE_INFINITY) {
    this.#now = now;
    this.#at = at;
  }

  /** True if it is time for a line, which then counts as said. */
  allows(): boolean {
    const now = this.#now();
    if (now - this.#at < LOG_MS) return false;
    this.#at = now;
    return true;
  }

  /** A line was said without being asked for; the next is due a few seconds from now. */
  said(): void {
    this.#at = this.#now();
  }
}

/** The first failed dials get a line of log, then ever fewer: an absence of an hour should not fill the log. */
export function isWorthALine(attempt: number): boolean {
  return attempt <= 3 || Number.isInteger(Math.log2(attempt));
}
