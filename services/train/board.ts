import type { WorkerView } from "../../shared/record/hub-api.ts";
import { batchesPerSecond, keepPace, type Pace } from "../../shared/record/pace.ts";
import type { Progress } from "../../shared/record/progress.ts";
import { layerOf, type WorkerName } from "../../shared/record/worker-name.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";

/** What is known of a run while it goes on: everything the display shows. */
export interface Board {
  readonly run: string;
  readonly batches: number;
  readonly startedMs: number;
  readonly nowMs: number;
  /** In the order of the network, the source first. */
  readonly workers: readonly BoardWorker[];
  /** Of the slowest layer's cursor. */
  readonly pace: Pace;
}

export interface BoardWorker extends Omit<WorkerView, "deaths"> {
  readonly restarts: number;
  /** Its own process stays away. A worker that somebody else started in its place tells the hub alone. */
  readonly isAway?: boolean;
}

export function newBoard(run: string, batches: number, names: readonly WorkerName[], nowMs: number): Board {
  const workers = names.map((name): BoardWorker => ({ ...freshOf(name, nowMs), batch: -1, restarts: 0 }));
  return { run, batches, startedMs: nowMs, nowMs, workers, pace: [] };
}

/** A life that has not said anything yet. */
function freshOf(name: WorkerName, since: number) {
  const begun = { contact: "connected", state: "starting", since } as const;
  return { name, ...begun, incarnation: 0, perSecond: 0, dropped: 0 };
}

export function onTelemetry(board: Board, name: string, telemetry: Telemetry): Board {
  return telemetry.kind === "progress" ? onProgress(board, name, telemetry) : board;
}

function onProgress(board: Board, name: string, progress: Progress): Board {
  const { kind: _, worker: __, batches: ___, batch, ...said } = progress;
  return change(board, name, (worker) => ({
    ...freshOf(worker.name, worker.since),
    restarts: worker.restarts,
    // A worker that has not restored yet is at batch −1 only for a moment; to believe it would make the pace a leap.
    batch: said.state === "starting" ? worker.batch : batch,
    ...(said.state === "starting" ? heard(worker) : { heardAt: board.nowMs }),
    ...said,
  }));
}

export function onDeath(board: Board, name: string, restarts: number): Board {
  return left(board, name, { contact: "dead", restarts });
}

/** Someone else starts it; nothing is known of it until it tells the hub. */
export function onForeign(board: Board, name: string): Board {
  return left(board, name, { contact: "absent", isAway: true });
}

/** It stays away. */
export function onStop(board: Board, name: string): Board {
  return left(board, name, { contact: "gone", why: "stopped", isAway: true });
}

export function onStart(board: Board, name: string): Board {
  return left(board, name, {});
}

/** What the hub says of those that are not ours. */
export function onHub(board: Board, views: readonly WorkerView[]): Board {
  const others = views.filter(({ contact }) => contact === "connected");
  return others.reduce(
    (before, view) =>
      change(before, view.name, (worker) =>
        worker.isAway ? { ...view, restarts: worker.restarts, isAway: true } : worker,
      ),
    board,
  );
}

export function onTick(board: Board, nowMs: number): Board {
  const cursor = slowestCursor(board);
  const pace = cursor === undefined ? board.pace : keepPace(board.pace, nowMs, cursor);
  return { ...board, nowMs, pace };
}

/** −1 when a layer has applied nothing; undefined until every layer told, but for those that are someone else's and may never. */
export function slowestCursor({ workers }: Board): number | undefined {
  const isSilent = ({ contact, isAway }: BoardWorker) => isAway === true && contact === "absent";
  const layers = workers.filter((worker) => layerOf(worker.name) !== undefined && !isSilent(worker));
  if (layers.length === 0 || layers.some(({ heardAt }) => heardAt === undefined)) return undefined;
  return Math.min(...layers.map(({ batch }) => batch));
}

/** Seconds, were it to go on like in the last ones; undefined when that cannot be said. */
export function remainingSeconds(board: Board): number | undefined {
  const [cursor, perSecond] = [slowestCursor(board), batchesPerSecond(board.pace)];
  if (cursor === undefined) return undefined;
  const left = board.batches - 1 - cursor;
  return left <= 0 ? 0 : perSecond && left / perSecond;
}

/** What it had come to stays known; what it said of its life does not. */
function left(board: Board, name: string, now: Partial<BoardWorker>): Board {
  return change(board, name, (worker) => ({
    ...freshOf(worker.name, board.nowMs),
    ...{ batch: worker.batch, restarts: worker.restarts },
    ...heard(worker),
    ...now,
  }));
}

function heard({ heardAt }: BoardWorker) {
  return heardAt === undefined ? {} : { heardAt };
}

function change(board: Board, name: string, to: (worker: BoardWorker) => BoardWorker): Board {
  return { ...board, workers: board.workers.map((worker) => (worker.name === name ? to(worker) : worker)) };
}
