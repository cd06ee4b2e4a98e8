/**
 * Keeps the workers of a run alive, on paper: no process, no clock, no dice. `supervisor.ts` is its edge.
 */

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
export type Course =
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
  /** The highest batch it ever told of. */
  readonly highest: number;
  /** Deaths since `highest` last rose. */
  readonly fruitless: number;
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
  | { readonly kind: "killed"; readonly worker: string; readonly afterMs: number };

type Step = readonly [Supervision, readonly Effect[]];

const MAX_FRUITLESS = 20;
const QUICK_MS = 5_000;
const BACKOFF_MS = { first: 100, most: 2_000 };
/** How long a worker that left by itself may have been right to: the source's word may be on its way. */
const LEFT_EARLY_MS = 1_000;
const STOP_MS = 2_000;
/** One Ctrl-C may arrive twice: from the terminal, and passed on by who started us, on a busy machine a while later. */
const SAME_KEY_MS = 1_000;
const LEAVE_MS = 10_000;

const CANNOT_START = 78;
const GAVE_UP = 70;
const START_AGAIN = 75;

export function beginSupervision(names: readonly string[], atMs: number): Step {
  const fresh = { restarts: 0, highest: -1, fruitless: 0, quick: 0 };
  const running = { ...fresh, stage: { is: "running", sinceMs: atMs } } as const;
  const workers = Object.fromEntries(names.map((name) => [name, running]));
  return [
    { workers, course: { phase: "running" } },
    names.map((worker) => ({ do: "start", worker }) as const),
  ];
}

export function supervise(state: Supervision, event: SupervisionEvent): Step {
  switch (event.kind) {
    case "exited":
      return onExited(state, event);
    case "due":
      return onDue(state, event.worker, event.atMs);
    case "asked":
      return onAsked(state, event.worker, event.wish, event.atMs);
    case "progressed":
      return onProgressed(state, event.worker, event.batch);
    case "finished":
      return onFinished(state);
    case "interrupted":
      return onInterrupted(state, event.signal, event.atMs);
    case "expired":
      return onExpired(state);
  }
}

type Exited = Extract<SupervisionEvent, { kind: "exited" }>;

function onExited(state: Supervision, event: Exited): Step {
  const { worker, ending } = event;
  if (state.course.phase === "running") {
    if (isToStop(state, worker)) {
      const note = { kind: "stopped", worker, ending } as const;
      return [withStage(state, worker, { is: "stopped" }), [{ do: "note", note }]];
    }
    const code = "code" in ending ? ending.code : undefined;
    if (code === CANNOT_START || code === GAVE_UP) {
      return fail(state, { kind: "failed", worker, code }, event.atMs);
    }
    if (code === START_AGAIN) return startAgain(state, event);
    return code === 0 ? leftEarly(state, event) : died(state, event);
  }
  // The record is written or the end decided: how a worker leaves changes nothing any more.
  const [over, end] = endIfOver(withStage(state, worker, { is: "over" }));
  const isClean = ("code" in ending && ending.code === 0) || state.course.phase === "stopping";
  return [over, isClean ? end : [{ do: "note", note: { kind: "ended badly", worker, ending } }, ...end]];
}

function isToStop({ workers }: Supervision, worker: string): boolean {
  const stage = workers[worker]?.stage;
  return stage?.is === "running" && stage.isToStop === true;
}

function onAsked(state: Supervision, worker: string, wish: Wish, atMs: number): Step {
  const stage = state.workers[worker]?.stage;
  if (stage === undefined || state.course.phase !== "running") return [state, []];
  return wish === "stop" ? stopOne(state, worker, stage) : startOne(state, worker, stage, atMs);
}

function stopOne(state: Supervision, worker: string, stage: Supervised["stage"]): Step {
  if (stage.is === "waiting") return [withStage(state, worker, { is: "stopped" }), []];
  if (stage.is !== "running") return [state, []];
  return [withStage(state, worker, { ...stage, isToStop: true }), [{ do: "ask to stop", worker }]];
}

function startOne(state: Supervision, worker: string, stage: Supervised["stage"], atMs: number): Step {
  // On its way out: when it is gone it comes back, as whoever left too early.
  if (stage.is === "running" && stage.isToStop)
    return [withStage(state, worker, { ...stage, isToStop: false }), []];
  if (stage.is !== "stopped") return [state, []];
  return [withStage(state, worker, { is: "running", sinceMs: atMs }), [{ do: "start", worker }]];
}

// Somebody asked it to stop, and it was not us. Without it the others would wait for ever.
function leftEarly(state: Supervision, event: Exited): Step {
  return restartLater(state, event, LEFT_EARLY_MS);
}

function died(state: Supervision, event: Exited): Step {
  const quick = quickDeaths(state.workers[event.worker]!, event.atMs);
  return restartLater(state, event, quick === 1 ? 0 : backoffMs(quick, event.chance));
}

function restartLater(state: Supervision, event: Exited, afterMs: number): Step {
  const { worker, atMs } = event;
  const before = state.workers[worker]!;
  const fruitless = before.fruitless + 1;
  if (fruitless > MAX_FRUITLESS) {
    return fail(state, { kind: "failed", worker, code: GAVE_UP, deaths: fruitless }, atMs);
  }
  return again(state, event, { fruitless, quick: quickDeaths(before, atMs) }, afterMs);
}

// It was told to, has saved, and asks for it: no failure, however often.
function startAgain(state: Supervision, event: Exited): Step {
  const { fruitless, quick } = state.workers[event.worker]!;
  return again(state, event, { fruitless, quick }, 0);
}

function again(
  state: Supervision,
  { worker, ending }: Exited,
  counts: Pick<Supervised, "fruitless" | "quick">,
  afterMs: number,
): Step {
  const before = state.workers[worker]!;
  const restart = before.restarts + 1;
  const after: Supervised = { ...before, ...counts, stage: { is: "waiting" }, restarts: restart };
  return [
    withWorker(state, worker, after),
    [
      { do: "note", note: { kind: "died", worker, ending, restart, afterMs } },
      { do: "restart later", worker, afterMs },
    ],
  ];
}

function quickDeaths({ stage, quick }: Supervised, atMs: number): number {
  const isQuick = stage.is === "running" && atMs - stage.sinceMs < QUICK_MS;
  return isQuick ? quick + 1 : 1;
}

// Half of it jittered: workers that died together should not all come back in the same instant.
function backoffMs(quick: number, chance: number): number {
  const full = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (quick - 2));
  return full * (0.5 + 0.5 * chance);
}

function onDue(state: Supervision, worker: string, atMs: number): Step {
  if (state.workers[worker]?.stage.is !== "waiting") return [state, []];
  return [withStage(state, worker, { is: "running", sinceMs: atMs }), [{ do: "start", worker }]];
}

function onProgressed(state: Supervision, worker: string, batch: number): Step {
  const before = state.workers[worker]!;
  const { stage, highest } = before;
  if (batch > highest)
    return [withWorker(state, worker, { ...before, highest: batch, fruitless: 0, quick: 0 }), []];
  if (stage.is !== "running") return [state, []];
  if (stage.from === undefined) return [withStage(state, worker, { ...stage, from: batch }), []];
  // Old ground, but it works: whoever dies now was not bound to. To wait for it would hold up all the others.
  return [batch > stage.from ? withWorker(state, worker, { ...before, quick: 0 }) : state, []];
}

function onFinished(state: Supervision): Step {
  if (state.course.phase !== "running") return [state, []];
  const [ending, end] = endIfOver(withoutAbsent({ ...state, course: { phase: "finished" } }));
  return [ending, end.length > 0 ? end : [{ do: "expire later", afterMs: LEAVE_MS }]];
}

function onInterrupted(state: Supervision, signal: StopSignal, atMs: number): Step {
  const { course } = state;
  if (course.phase === "running") return stop(state, { kind: "stopped", signal }, atMs);
  if (course.phase === "stopping" && atMs - course.sinceMs < SAME_KEY_MS) return [state, []];
  return [state, running(state).map((worker) => ({ do: "kill", worker }))];
}

function onExpired(state: Supervision): Step {
  const afterMs = state.course.phase === "finished" ? LEAVE_MS : STOP_MS;
  const effects = running(state).flatMap((worker): Effect[] => [
    { do: "note", note: { kind: "killed", worker, afterMs } },
    { do: "kill", worker },
  ]);
  return [state, effects];
}

function fail(state: Supervision, outcome: Extract<Outcome, { kind: "failed" }>, atMs: number): Step {
  return stop(withStage(state, outcome.worker, { is: "over" }), outcome, atMs);
}

function stop(state: Supervision, outcome: Outcome, sinceMs: number): Step {
  const course = { phase: "stopping", outcome, sinceMs } as const;
  const [stopping, end] = endIfOver(withoutAbsent({ ...state, course }));
  if (end.length > 0) return [stopping, end];
  const asked = running(stopping).map((worker) => ({ do: "ask to stop", worker }) as const);
  return [stopping, [...asked, { do: "expire later", afterMs: STOP_MS }]];
}

function endIfOver(state: Supervision): Step {
  const { course } = state;
  const isOver = Object.values(state.workers).every(({ stage }) => stage.is === "over");
  if (!isOver || course.phase === "running" || course.phase === "ended") return [state, []];
  const outcome: Outcome = course.phase === "stopping" ? course.outcome : { kind: "finished" };
  return [{ ...state, course: { phase: "ended" } }, [{ do: "end", outcome }]];
}

function running(state: Supervision): string[] {
  return Object.keys(state.workers).filter((name) => state.workers[name]!.stage.is === "running");
}

/** Who is not there now need not come any more. */
function withoutAbsent(state: Supervision): Supervision {
  const absent = Object.keys(state.workers).filter((name) => {
    const { is } = state.workers[name]!.stage;
    return is === "waiting" || is === "stopped";
  });
  return absent.reduce((rest, name) => withStage(rest, name, { is: "over" }), state);
}

function withStage(state: Supervision, name: string, stage: Supervised["stage"]): Supervision {
  return withWorker(state, name, { ...state.workers[name]!, stage });
}

function withWorker(state: Supervision, name: string, worker: Supervised): Supervision {
  return { ...state, workers: { ...state.workers, [name]: worker } };
}
