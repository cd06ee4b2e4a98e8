import type { Environment } from "./environment.ts";

/** What a life waits for. All of it ends with the life. */
export class Timers {
  readonly #world: Pick<Environment, "after" | "every">;
  /** Each ends one. */
  #ends: (() => void)[] = [];
  #hasEnded = false;

  constructor(world: Pick<Environment, "after" | "every">) {
    this.#world = world;
  }

  after(ms: number, run: () => void): void {
    if (!this.#hasEnded) this.#ends.push(this.#world.after(ms, run));
  }

  every(ms: number, run: () => void): void {
    if (!this.#hasEnded) this.#ends.push(this.#world.every(ms, run));
  }

  /** Nothing is waited for any more. False if it had ended before. */
  end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    for (const end of this.#ends.splice(0)) end();
    return true;
  }
}
