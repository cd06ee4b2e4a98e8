/** Hands things on in order, each some time after it came; at once where there is no delay. */
export class Delay<Item> {
  readonly #release: (item: Item) => void;
  #ms = 0;
  #waiting: Item[] = [];

  constructor(release: (item: Item) => void) {
    this.#release = release;
  }

  /** How many are held back. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** What waits goes on at once, before anything that comes later. */
  set ms(ms: number) {
    this.flush();
    this.#ms = ms;
  }

  take(item: Item): void {
    if (this.#ms === 0) return this.#release(item);
    const waiting = this.#waiting;
    waiting.push(item);
    // Timers of one length go off in the order in which they were set.
    setTimeout(() => {
      if (waiting.length > 0) this.#release(waiting.shift()!);
    }, this.#ms);
  }

  flush(): void {
    for (const item of this.#waiting.splice(0)) this.#release(item);
    this.#waiting = [];
  }
}
