import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import type {
  Effect,
  Outcome,
  StopSignal,
  Supervised,
  Supervision,
  SupervisionEvent,
  Wish,
} from "./supervision.ts";

/**
 * Keeps the workers of a run alive, on paper: no process, no clock, no dice. `supervisor.ts` is its edge.
 */

type Step = readonly [Supervision, readonly Effect[]];

const MAX_FRUITLESS = 20;
/** With those that are excused: neighbours that die in turns would excuse each other without end. */
const MAX_DEATHS = 200;
/** Longer than any start takes: to read a checkpoint of a gigabyte, on a machine with other work. */
const START_MS = 120_000;
/** So long after its start a worker is checked: has it reported? */
export const LOOK_MS = START_MS + 1_000;
const QUICK_MS = 5_000;
const BACKOFF_MS = { first: 100, most: 2_000 };
/** A worker that left by itself may have been right to: the source's word may arrive that much later. */
const LEFT_EARLY_MS = 1_000;
const STOP_MS = 2_000;
/** One Ctrl-C may arrive twice: from the terminal, and a while later from our parent, on a busy machine. */
const SAME_KEY_MS = 1_000;
const LEAVE_MS = 10_000;

export function beginSupervision(names: readonly string[], atMs: number): Step {
  const fresh = { restarts: 0, highest: -1, fruitless: 0, excused: 0, quick: 0 };
  const running = { ...fresh, stage: { is: "running", sinceMs: atMs } } as const;
  const workers = Object.fromEntries(names.map((name) => [name, running]));
  return [{ workers, course: { phase: "running" } }, names.map((worker) => ({ do: "start", worker }))];
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
    case "looked":
      return onLooked(state, event.worker, event.atMs);
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
    // What could start once could start again: a disk that is full, a folder that cannot be written, a port that is taken.
    const isHopeless = code === ExitCode.cannotStart && state.workers[worker]!.from === undefined;
    if (isHopeless || code === ExitCode.gaveUp) {
      return fail(state, { kind: "failed", worker, code }, event.atMs);
    }
    if (code === ExitCode.startAgain) return startAgain(state, event);
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
  // On its way out: once it is gone it is started again, like a worker that left too early.
  if (stage.is === "running" && stage.isToStop)
    return [withStage(state, worker, { ...stage, isToStop: false }), []];
  if (stage.is !== "stopped") return [state, []];
  return start(state, worker, atMs);
}

function start(state: Supervision, worker: string, sinceMs: number): Step {
  return [withStage(state, worker, { is: "running", sinceMs }), [{ do: "start", worker }]];
}

// It may hang where no signal but SIGKILL reaches it.
function onLooked(state: Supervision, worker: string, atMs: number): Step {
  const stage = state.workers[worker]?.stage;
  const isSilent = stage?.is === "running" && stage.from === undefined && atMs - stage.sinceMs >= START_MS;
  if (!isSilent) return [state, []];
  const note = { kind: "never began", worker, afterMs: START_MS } as const;
  return [
    state,
    [
      { do: "note", note },
      { do: "kill", worker },
    ],
  ];
}

// It was asked to stop, and not by us. Without it the others would wait without end.
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
  const excused = before.excused + (isSomebodyElseAway(state, worker) ? 1 : 0);
  if (fruitless - excused > MAX_FRUITLESS || fruitless > MAX_DEATHS) {
    return fail(state, { kind: "failed", worker, code: ExitCode.gaveUp, deaths: fruitless }, atMs);
  }
  return again(state, event, { fruitless, excused, quick: quickDeaths(before, atMs) }, afterMs);
}

/** Whether another worker that has lived is away, or has not reported yet: until then no worker gets far. */
function isSomebodyElseAway({ workers }: Supervision, worker: string): boolean {
  return Object.entries(workers).some(
    ([name, { stage, from }]) =>
      name !== worker && from !== undefined && !(stage.is === "running" && stage.from !== undefined),
  );
}

// It was told to, has saved, and asks for it: no failure, however often.
function startAgain(state: Supervision, event: Exited): Step {
  return again(state, event, {}, 0);
}

function again(
  state: Supervision,
  { worker, ending }: Exited,
  counts: Partial<Pick<Supervised, "fruitless" | "excused" | "quick">>,
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
  return state.workers[worker]?.stage.is === "waiting" ? start(state, worker, atMs) : [state, []];
}

function onProgressed(state: Supervision, worker: string, batch: number): Step {
  const before = state.workers[worker]!;
  const { stage } = before;
  const isFirst = stage.is === "running" && stage.from === undefined;
  const after = isFirst ? begun(before, { ...stage, from: batch }, batch) : before;
  if (batch > after.highest) {
    return [withWorker(state, worker, { ...after, highest: batch, fruitless: 0, excused: 0, quick: 0 }), []];
  }
  // Old ground, but it works: a death from now on is no death at the start. To wait would hold up all the others.
  const isLearning = stage.is === "running" && stage.from !== undefined && batch > stage.from;
  return [withWorker(state, worker, isLearning ? { ...after, quick: 0 } : after), []];
}

// A life that begins further than the one before has a newer checkpoint, be it on old ground; one that begins further back has
// lost what it had, as its folder was removed, say, and all is to be done again. One that must die begins where it began.
function begun(before: Supervised, stage: Supervised["stage"], from: number): Supervised {
  const isElsewhere = before.from !== undefined && from !== before.from;
  return { ...before, stage, from, ...(isElsewhere && { fruitless: 0, excused: 0 }) };
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

/** A worker that is away now need not come back. */
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
