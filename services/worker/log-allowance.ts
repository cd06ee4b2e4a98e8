const MOST_AT_ONCE = 10;
const REFILL_MS = 1000;

/** Of something that may come in floods: each of a few gets its line of log, then one a second. */
export class LogAllowance {
  readonly #now: () => number;
  /** Lines that may still be said, of MOST_AT_ONCE; grows with time. */
  #left = MOST_AT_ONCE;
  #at: number;
  #unsaid = 0;

  /** `now`: milliseconds of a steady clock. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Undefined where there is to be no line; else what it is to say of those that got none since the last one. */
  take(): { readonly unsaid?: number } | undefined {
    const at = this.#now();
    this.#left = Math.min(MOST_AT_ONCE, this.#left + (at - this.#at) / REFILL_MS);
    this.#at = at;
    if (this.#left < 1) {
      this.#unsaid++;
      return undefined;
    }
    this.#left--;
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return unsaid > 0 ? { unsaid } : {};
  }
}
