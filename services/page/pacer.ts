/** Of the time that a draw takes, so many times as much is left to everything else: the page's keys, and the network that trains. */
const REST = 4;
/** A draw that took long, as one in which the machine slept, is no reason to rest for longer. */
const LONGEST_REST_MS = 5_000;

/** Where a pacer draws; a page's is its window. */
export interface Surroundings {
  now(): number;
  after(ms: number, what: () => void): void;
  /** As soon as what was drawn last can be seen, or could be. */
  whenShown(what: () => void): void;
}

/**
 * Draws when asked to: at once, but one draw after the other and with a rest between, however often it is asked. What is
 * asked for meanwhile is one draw more. So a page on a slow machine shows less often, and still hears its user.
 */
export class Pacer {
  readonly #draw: () => void;
  readonly #around: Surroundings;
  #state: "idle" | "busy" | "asked again" = "idle";

  constructor(draw: () => void, around: Surroundings) {
    this.#draw = draw;
    this.#around = around;
  }

  ask(): void {
    if (this.#state !== "idle") this.#state = "asked again";
    else this.#begin();
  }

  #begin(): void {
    const { now, after, whenShown } = this.#around;
    this.#state = "busy";
    const from = now();
    this.#draw();
    whenShown(() => after(Math.min(LONGEST_REST_MS, REST * (now() - from)), () => this.#rested()));
  }

  #rested(): void {
    const isAsked = this.#state === "asked again";
    this.#state = "idle";
    if (isAsked) this.#begin();
  }
}
