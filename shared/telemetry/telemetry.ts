import type { Progress } from "../record/progress.ts";
import type { TestResult } from "../wire/frames.ts";

export type { Progress, WorkerState } from "../record/progress.ts";

/** What a worker reports to the process that started it. Training does not depend on a listener. */
export type Telemetry = Progress | Evaluated | Listening | Finished;

/** From the head: one evaluation on all held-out data, between batch − 1 and batch. */
interface Evaluated {
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
interface Finished {
  readonly kind: "finished";
}

/** What the process that started a worker may tell it, over the same channel. */
export interface StopRequest {
  readonly kind: "stop";
}

/** How a worker ends: 0 finished or stopped as asked; 75 asked to be started again; 78 cannot ever work as told (config, refusal); 70 gave up; else a crash. */
export const ExitCode = { done: 0, startAgain: 75, cannotStart: 78, gaveUp: 70 } as const;
