import { type AskedHub, askHub } from "../../shared/record/ask-hub.ts";
import type { RunView, WorkerView } from "../../shared/record/hub-api.ts";
import { RunRecord, type RunState } from "../../shared/record/run-record.ts";
import { viewOfRun } from "../../shared/record/run-view.ts";
import type { TestResult } from "../../shared/wire/frames.ts";

/** How a run stands, as far as somebody knows. */
export interface RunStatus {
  readonly run: string;
  readonly state: RunState;
  readonly method: string;
  readonly batch: number;
  readonly batches: number;
  readonly test?: TestResult;
  readonly workers: readonly WorkerView[];
  /** The address of the hub that said so; undefined where it is read from the files. */
  readonly hub?: string;
  /** Milliseconds since 1970: when the newest of it was said. */
  readonly newestAt: number;
}

/** Asks the hub that watches the run, if one answers; else reads its files. Throws as `RunRecord.read` does. */
export async function runStatus(folder: string, now: number): Promise<RunStatus> {
  const asked = await askHub(folder);
  return asked === undefined ? statusFromFiles(RunRecord.read(folder), now) : statusFromHub(asked);
}

export function statusFromFiles(record: RunRecord, now: number): RunStatus {
  return statusOf(viewOfRun(record, now), record.newestAt);
}

function statusFromHub({ hub, view }: AskedHub): RunStatus {
  const newestAt = Math.max(0, ...view.workers.map(({ heardAt }) => heardAt ?? 0));
  return { ...statusOf(view, newestAt), hub };
}

function statusOf({ row, config, workers }: Omit<RunView, "control">, newestAt: number): RunStatus {
  const { id: run, batch, batches, test } = row;
  const state = row.state === "watched" ? "training" : row.state;
  const { method } = config.learning;
  return { run, state, method, batch, batches, ...(test && { test }), workers, newestAt };
}
