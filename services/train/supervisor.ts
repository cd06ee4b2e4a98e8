import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { beginSupervision, LOOK_MS, supervise } from "./supervise.ts";
import type {
  Effect,
  Ending,
  Note,
  Outcome,
  StopSignal,
  Supervision,
  SupervisionEvent,
  Wish,
} from "./supervision.ts";
import type { Hearing, WorkerProcess } from "./worker-process.ts";

type StartWorker = (worker: string, hearing: Hearing) => WorkerProcess;

/** Is told what happens, and has no say in it. */
export interface Witness {
  readonly started: (worker: string, pid: number | undefined) => void;
  readonly told: (worker: string, telemetry: Telemetry) => void;
  /** `words`: the lines of the worker's log that may explain it. */
  readonly noted: (note: Note, words: readonly string[]) => void;
}

/** The edge of `supervise`: holds the processes and the timers, and does what it says. */
export class Supervisor {
  /** Settled when no worker is left. */
  readonly outcome: Promise<Outcome>;
  readonly #start: StartWorker;
  readonly #witness: Witness;
  readonly #processes = new Map<string, WorkerProcess>();
  readonly #words = new Map<string, readonly string[]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #state: Supervision;
  #end!: (outcome: Outcome) => void;

  constructor(names: readonly string[], start: StartWorker, witness: Witness) {
    this.#start = start;
    this.#witness = witness;
    this.outcome = new Promise((resolve) => {
      this.#end = resolve;
    });
    const [state, effects] = beginSupervision(names, performance.now());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** The first time asks every worker to stop, the second time ends them. */
  interrupt(signal: StopSignal): void {
    this.#happen({ kind: "interrupted", signal, atMs: performance.now() });
  }

  /** Nothing where it is so already, or there is no such worker. */
  ask(worker: string, wish: Wish): void {
    this.#happen({ kind: "asked", worker, wish, atMs: performance.now() });
  }

  /** At once, and without a word; for the last moment of this process. */
  killAll(): void {
    for (const process of this.#processes.values()) process.kill();
  }

  /** What the worker's last life left in its log about its end. */
  wordsOf(worker: string): readonly string[] {
    return this.#words.get(worker) ?? [];
  }

  #happen(event: SupervisionEvent): void {
    const [state, effects] = supervise(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case "start":
        return this.#startWorker(effect.worker);
      case "restart later": {
        const { worker } = effect;
        return this.#later(effect.afterMs, () => ({ kind: "due", worker, atMs: performance.now() }));
      }
      case "ask to stop":
        return this.#processes.get(effect.worker)?.askToStop();
      case "kill":
        return this.#processes.get(effect.worker)?.kill();
      case "expire later":
        return this.#later(effect.afterMs, () => ({ kind: "expired" }));
      case "note":
        return this.#witness.noted(effect.note, this.wordsOf(effect.note.worker));
      case "end":
        for (const timer of this.#timers) clearTimeout(timer);
        return this.#end(effect.outcome);
    }
  }

  #startWorker(worker: string): void {
    const ended = (ending: Ending) => this.#ended(worker, ending);
    try {
      const process = this.#start(worker, { told: (telemetry) => this.#told(worker, telemetry), ended });
      this.#processes.set(worker, process);
      this.#witness.started(worker, process.pid);
      this.#later(LOOK_MS, () => ({ kind: "looked", worker, atMs: performance.now() }));
    } catch (error) {
      // Its log cannot be opened, say. Later: the caller is still at work on the state.
      setImmediate(() => ended({ fault: (error as Error).message }));
    }
  }

  #told(worker: string, telemetry: Telemetry): void {
    this.#witness.told(worker, telemetry);
    if (telemetry.kind === "progress") {
      this.#happen({ kind: "progressed", worker, batch: telemetry.batch });
    } else if (telemetry.kind === "finished") {
      this.#happen({ kind: "finished" });
    }
  }

  #ended(worker: string, ending: Ending): void {
    this.#words.set(worker, this.#processes.get(worker)?.lastWords() ?? []);
    this.#processes.delete(worker);
    this.#happen({ kind: "exited", worker, ending, atMs: performance.now(), chance: Math.random() });
  }

  #later(afterMs: number, event: () => SupervisionEvent): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#happen(event());
    }, afterMs);
    this.#timers.add(timer);
  }
}
