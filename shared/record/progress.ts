import type { WorkerName } from "./worker-name.ts";

/** How a worker says it stands, a few times a second at most. */
export interface Progress {
  readonly kind: "progress";
  readonly worker: WorkerName;
  readonly incarnation: number;
  readonly state: WorkerState;
  /** Cursor: highest batch applied (source: highest batch sent), −1 before the first. */
  readonly batch: number;
  readonly batches: number;
  /** Batches a second, over the last few seconds. */
  readonly perSecond: number;
  /** Head: mean training loss since the last report. */
  readonly loss?: number;
  /** Hidden layers: E|guess − target|² / E|target|² since the last report; 1 is no better than guessing zero. */
  readonly generatorError?: number;
  /** Hidden layers: of the angle between guesses and targets, over all since the last report. */
  readonly cosine?: number;
  /** What does not work at present, though training goes on: a checkpoint that cannot be saved. */
  readonly alarm?: string;
  /** Hidden layers: mean age, in batches, of the targets heard since the last report. */
  readonly staleness?: number;
}

export type WorkerState =
  | "starting"
  | "waiting"
  | "training"
  | "holding"
  | "paused"
  | "evaluating"
  | "stopping"
  | "finished";
