import { beginSupervision, supervise } from "../../../services/train/supervise.ts";
import type { Effect, Ending, Supervision, SupervisionEvent } from "../../../services/train/supervision.ts";

/** A supervision fed with events, and all it asked for. */
export class Story {
  readonly effects: Effect[] = [];
  #state: Supervision;
  #atMs = 0;

  constructor(...names: string[]) {
    const [state, effects] = beginSupervision(names, 0);
    this.#state = state;
    this.effects.push(...effects);
  }

  after(ms: number): this {
    this.#atMs += ms;
    return this;
  }

  /** What this event alone asked for. */
  on(event: SupervisionEvent): Effect[] {
    const [state, effects] = supervise(this.#state, event);
    this.#state = state;
    this.effects.push(...effects);
    return [...effects];
  }

  exits(worker: string, ending: Ending | number, chance = 1): Effect[] {
    const as = typeof ending === "number" ? { code: ending } : ending;
    return this.on({ kind: "exited", worker, ending: as, atMs: this.#atMs, chance });
  }

  comesBack(worker: string): Effect[] {
    return this.on({ kind: "due", worker, atMs: this.#atMs });
  }

  tells(worker: string, batch: number): Effect[] {
    return this.on({ kind: "progressed", worker, batch });
  }

  interrupted(): Effect[] {
    return this.on({ kind: "interrupted", signal: "SIGINT", atMs: this.#atMs });
  }

  get now(): number {
    return this.#atMs;
  }

  get restarts(): number {
    return this.#state.workers.a!.restarts;
  }
}

export const KILLED = { signal: "SIGKILL" };

export function delayOf(effects: readonly Effect[]): number | undefined {
  return effects.find((effect) => effect.do === "restart later")?.afterMs;
}

/** Also while others still have to leave. */
export function endsRun(effects: readonly Effect[]): boolean {
  return effects.some((effect) => effect.do === "end" || effect.do === "expire later");
}

export function endOf(effects: readonly Effect[]): unknown {
  return effects.find((effect) => effect.do === "end")?.outcome;
}
