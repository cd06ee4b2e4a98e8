import type { Link } from "../../shared/link/link.ts";

/** Questions cost less than a batch, and may take a few hundredths of a worker's time at most. */
const MOST_A_SECOND = 500;
const MOST_AT_ONCE = 50;
/** Activations that wait for the network come first. */
const MOST_BUFFERED_BYTES = 4 * 1024 * 1024;

/** How many questions a worker deals with, so that no flood of them stops its training. */
export class QuestionAllowance {
  readonly #now: () => number;
  #left = MOST_AT_ONCE;
  #at: number;

  /** `now`: milliseconds of a steady clock. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Whether this one is dealt with. */
  take(): boolean {
    const at = this.#now();
    this.#left = Math.min(MOST_AT_ONCE, this.#left + ((at - this.#at) / 1000) * MOST_A_SECOND);
    this.#at = at;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/** Whether a question may go out on this link now. */
export function isFree(link: Link): boolean {
  return link.takesQuestions && link.bufferedBytes <= MOST_BUFFERED_BYTES;
}
