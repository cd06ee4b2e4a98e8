import { batchesPerSecond, keepPace, type Pace } from "../../shared/record/pace.ts";
import type { Progress, Telemetry, WorkerState } from "../../shared/telemetry/telemetry.ts";
import type { TestResult } from "../../shared/wire/frames.ts";

/** What is known of a run while it goes on: everything the display shows. */
export interface Board {
  readonly run: string;
  readonly batches: number;
  readonly startedMs: number;
  readonly nowMs: number;
  /** In the order of the network, the source first. */
  readonly workers: readonly WorkerView[];
  /** Of the slowest layer's cursor. */
  readonly pace: Pace;
  readonly newestTest: { readonly batch: number; readonly test: TestResult } | undefined;
}

export interface WorkerView {
  readonly name: string;
  readonly state: WorkerState | "restarting" | "stopped";
  /** Undefined until it told. */
  readonly batch: number | undefined;
  readonly restarts: number;
  readonly told: Progress | undefined;
}

export function newBoard(run: string, batches: number, names: readonly string[], nowMs: number): Board {
  const workers = names.map((name): WorkerView => {
    return { name, state: "starting", batch: undefined, restarts: 0, told: undefined };
  });
  return { run, batches, startedMs: nowMs, nowMs, workers, pace: [], newestTest: undefined };
}

export function onTelemetry(board: Board, name: string, telemetry: Telemetry): Board {
  if (telemetry.kind === "evaluated") {
    return { ...board, newestTest: { batch: telemetry.batch, test: telemetry.test } };
  }
  if (telemetry.kind !== "progress") return board;
  const { state, batch } = telemetry;
  // A worker that has not restored yet is at batch −1 only for a moment; to believe it would make the pace a leap.
  const known = state === "starting" ? {} : { batch };
  return withWorker(board, name, { state, told: telemetry, ...known });
}

export function onDeath(board: Board, name: string, restarts: number): Board {
  return withWorker(board, name, { state: "restarting", restarts, told: undefined });
}

/** It stays away. */
export function onStop(board: Board, name: string): Board {
  return withWorker(board, name, { state: "stopped", told: undefined });
}

export function onStart(board: Board, name: string): Board {
  return withWorker(board, name, { state: "starting", told: undefined });
}

export function onTick(board: Board, nowMs: number): Board {
  const cursor = slowestCursor(board);
  const pace = cursor === undefined ? board.pace : keepPace(board.pace, nowMs, cursor);
  return { ...board, nowMs, pace };
}

/** −1 when a layer has applied nothing; undefined until every layer told. */
export function slowestCursor(board: Board): number | undefined {
  const layers = board.workers.filter(({ name }) => name !== "source");
  const cursors = layers.map(({ batch }) => batch);
  return cursors.every((cursor) => cursor !== undefined) ? Math.min(...cursors) : undefined;
}

/** Seconds, were it to go on like in the last ones; undefined when that cannot be said. */
export function remainingSeconds(board: Board): number | undefined {
  const [cursor, perSecond] = [slowestCursor(board), batchesPerSecond(board.pace)];
  if (cursor === undefined) return undefined;
  const left = board.batches - 1 - cursor;
  return left <= 0 ? 0 : perSecond && left / perSecond;
}

function withWorker(board: Board, name: string, change: Partial<WorkerView>): Board {
  const workers = board.workers.map((worker) => (worker.name === name ? { ...worker, ...change } : worker));
  return { ...board, workers };
}
