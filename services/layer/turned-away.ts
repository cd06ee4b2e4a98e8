import type { Why } from "../../shared/link/link.ts";

const MOST_AT_ONCE = 10;
const REFILL_MS = 1000;

/** Says who was turned away: each of a few, and of a flood one a second, with how many went unsaid before. */
export class TurnedAway {
  readonly #say: (why: Why & { readonly unsaid?: number }) => void;
  readonly #now: () => number;
  /** Lines that may still be said, of MOST_AT_ONCE; grows with time. */
  #allowance = MOST_AT_ONCE;
  #at: number;
  #unsaid = 0;

  /** `now`: milliseconds of a steady clock. */
  constructor(say: (why: Why & { readonly unsaid?: number }) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
    this.#at = now();
  }

  add({ code, reason }: Why): void {
    const at = this.#now();
    this.#allowance = Math.min(MOST_AT_ONCE, this.#allowance + (at - this.#at) / REFILL_MS);
    this.#at = at;
    if (this.#allowance < 1) {
      this.#unsaid++;
      return;
    }
    this.#allowance--;
    this.#say({ code, reason, ...(this.#unsaid > 0 && { unsaid: this.#unsaid }) });
    this.#unsaid = 0;
  }
}
