/** What is known of the workers of a run, what may happen to them, and what is to be done about it. */

/** How a process ended: by itself, by a signal, or before it began. */
export type Ending = { readonly code: number } | { readonly signal: string } | { readonly fault: string };

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

export type Outcome =
  | { readonly kind: "finished" }
  | { readonly kind: "stopped"; readonly signal: StopSignal }
  /** `code` is the worker's, see ExitCode; `deaths` of them without progress, where that was why. */
  | { readonly kind: "failed"; readonly worker: string; readonly code: number; readonly deaths?: number };

/** What somebody wants of one worker. */
export type Wish = "stop" | "start";

export interface Supervision {
  readonly workers: Readonly<Record<string, Supervised>>;
  readonly course: Course;
}

/** `finished`: the record is written, the workers are on their way out. */
type Course =
  | { readonly phase: "running" }
  | { readonly phase: "finished" }
  | { readonly phase: "stopping"; readonly outcome: Outcome; readonly sinceMs: number }
  | { readonly phase: "ended" };

export interface Supervised {
  readonly stage: /** `from`: the first batch that this life told of. `isToStop`: it was asked to, and is not to come back. */
    | {
        readonly is: "running";
        readonly sinceMs: number;
        readonly from?: number;
        readonly isToStop?: boolean;
      }
    | { readonly is: "waiting" }
    /** As somebody asked, until somebody asks otherwise. */
    | { readonly is: "stopped" }
    | { readonly is: "over" };
  readonly restarts: number;
  /** Where its newest life that told of itself began; undefined where none has. */
  readonly from?: number;
  /** The highest batch it ever told of. */
  readonly highest: number;
  /** Deaths since `highest` last rose, or a life began elsewhere than the one before. */
  readonly fruitless: number;
  /** How many of those came while a neighbour was away, so that it could not have got further. */
  readonly excused: number;
  /** Deaths in a row, each within `QUICK_MS` of a start and without progress. */
  readonly quick: number;
}

export type SupervisionEvent =
  /** `chance`: drawn from [0, 1). */
  | {
      readonly kind: "exited";
      readonly worker: string;
      readonly ending: Ending;
      readonly atMs: number;
      readonly chance: number;
    }
  | { readonly kind: "due"; readonly worker: string; readonly atMs: number }
  | { readonly kind: "asked"; readonly worker: string; readonly wish: Wish; readonly atMs: number }
  | { readonly kind: "progressed"; readonly worker: string; readonly batch: number }
  /** Some time after a start. */
  | { readonly kind: "looked"; readonly worker: string; readonly atMs: number }
  | { readonly kind: "finished" }
  | { readonly kind: "interrupted"; readonly signal: StopSignal; readonly atMs: number }
  | { readonly kind: "expired" };

export type Effect =
  | { readonly do: "start"; readonly worker: string }
  /** To be answered by `due`. */
  | { readonly do: "restart later"; readonly worker: string; readonly afterMs: number }
  | { readonly do: "ask to stop"; readonly worker: string }
  | { readonly do: "kill"; readonly worker: string }
  /** To be answered by `expired`. */
  | { readonly do: "expire later"; readonly afterMs: number }
  | { readonly do: "note"; readonly note: Note }
  | { readonly do: "end"; readonly outcome: Outcome };

/** What a person should hear of. */
export type Note =
  | {
      readonly kind: "died";
      readonly worker: string;
      readonly ending: Ending;
      readonly restart: number;
      readonly afterMs: number;
    }
  | { readonly kind: "stopped"; readonly worker: string; readonly ending: Ending }
  | { readonly kind: "ended badly"; readonly worker: string; readonly ending: Ending }
  | { readonly kind: "killed"; readonly worker: string; readonly afterMs: number }
  | { readonly kind: "never began"; readonly worker: string; readonly afterMs: number };
