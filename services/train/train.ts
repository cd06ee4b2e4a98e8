import { existsSync } from "node:fs";
import { join } from "node:path";
import { prepareConfig } from "../../shared/config/read-config.ts";
import type { DataConfig } from "../../shared/data/data-set-kind.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import type { Edges } from "./edges.ts";
import { refuseMissing } from "./foreign.ts";
import { goBackTo } from "./go-back-to.ts";
import { Refusal } from "./refusal.ts";
import {
  createRun,
  makeSecret,
  mendRun,
  openRun,
  orRemoved,
  pointLatest,
  type RunFolder,
} from "./run-folder.ts";
import { lockRun } from "./run-lock.ts";
import type { TrainRequest } from "./train-request.ts";
import { Training } from "./training.ts";

/** Trains a run to its end, or until told to stop; the exit code. Throws a Refusal or ConfigError before it begins. */
export async function train(request: TrainRequest, edges: Edges): Promise<number> {
  const isNew = request.resume === undefined;
  const run = isNew ? await newRun(request, edges) : await oldRun(request);
  const lock = lockRun(run.path, edges.pid);
  let removeSecret = () => {};
  try {
    if (isNew) orRemoved(run, () => pointLatest(request.runs, run.id));
    // The process that held the lock a moment ago may have brought the run to its end.
    else if (existsSync(join(run.path, "summary.json")))
      throw new Refusal(`${run.id} has finished meanwhile`);
    mendRun(run);
    if (request.fromSnapshot !== undefined)
      for (const line of await goBackTo(run, request.fromSnapshot, new Date())) edges.out.write(`${line}\n`);
    removeSecret = makeSecret(run);
    return await new Training(run, request, edges).run();
  } finally {
    removeSecret();
    lock.release();
  }
}

/** Files that a user brought are read before anything is created or started; those of the package are left to the source. */
async function refuseBadData(data: DataConfig): Promise<void> {
  if (data.path === undefined) return;
  try {
    await openDataSet(data);
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
}

async function newRun({ config, overrides, runs, foreign }: TrainRequest, edges: Edges): Promise<RunFolder> {
  const read = await prepareConfig(config ?? edges.defaultConfig, overrides);
  for (const warning of read.warnings) edges.err.write(`${warning}\n`);
  refuseMissing(foreign, read.config);
  await refuseBadData(read.config.data);
  return createRun(runs, read.config, new Date());
}

async function oldRun({ config, overrides, runs, resume, foreign }: TrainRequest): Promise<RunFolder> {
  if (config !== undefined || overrides.length > 0) {
    const beside = config ?? `--set ${overrides[0]}`;
    throw new Refusal(`Cannot resume with ${beside}: a run goes on with the config it began with`);
  }
  const run = openRun(runs, resume === true ? undefined : resume);
  refuseMissing(foreign, run.config);
  await refuseBadData(run.config.data);
  return run;
}
