import type { Environment } from "./environment.ts";

/** What a life waits for. All of it ends with the life. */
export class Timers {
  readonly #world: Pick<Environment, "after" | "every">;
  /** Each ends one that is still waited for. */
  readonly #ends = new Set<() => void>();
  #hasEnded = false;

  constructor(world: Pick<Environment, "after" | "every">) {
    this.#world = world;
  }

  after(ms: number, run: () => void): void {
    if (this.#hasEnded) return;
    const end = this.#world.after(ms, () => {
      // A life may wait millions of times.
      this.#ends.delete(end);
      run();
    });
    this.#ends.add(end);
  }

  every(ms: number, run: () => void): void {
    if (!this.#hasEnded) this.#ends.add(this.#world.every(ms, run));
  }

  /** Nothing is waited for any more. False if it had ended before. */
  end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
    return true;
  }
}
