import type { TestResult } from "../wire/frames.ts";

/** What a worker says of itself, to whoever started it. Nobody's training depends on anybody listening. */
export type Telemetry = Progress | Evaluated | Listening | Finished;

/** Sent a few times a second at most. */
export interface Progress {
  readonly kind: "progress";
  /** "source", "layer1", "layer2", … */
  readonly worker: string;
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

/** From the head: one evaluation on all held-out data, between batch − 1 and batch. */
export interface Evaluated {
  readonly kind: "evaluated";
  readonly batch: number;
  readonly test: TestResult;
}

/** A worker's port is open. */
export interface Listening {
  readonly kind: "listening";
  readonly worker: string;
  readonly port: number;
}

/** From the source: every layer has finished, and summary.json is written. */
export interface Finished {
  readonly kind: "finished";
}

/** What the one who started a worker may say to it, over the same channel. */
export interface StopRequest {
  readonly kind: "stop";
}

/** How a worker ends: 0 finished or stopped as asked; 75 asked to be started again; 78 cannot ever work as told (config, refusal); 70 gave up; else a crash. */
export const ExitCode = { done: 0, startAgain: 75, cannotStart: 78, gaveUp: 70 } as const;
