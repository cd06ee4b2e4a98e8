import { configHash } from "../../shared/config/hash.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import { type ClaimedLife, claimLife } from "../worker/claim-life.ts";
import type { Environment } from "../worker/environment.ts";
import type { Start } from "../worker/listen-first.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { beginning, isOver } from "./record.ts";
import { Snapshots } from "./snapshots.ts";

/** What a source's process runs in. */
export interface SourceEnvironment extends Environment {
  readonly data: DataSet;
  readonly nodeVersion: string;
}

type SourceOptions = WorkerOptions & { readonly record: string; readonly successor: string };

export type SourceStart = Start<SourceOptions, SourceEnvironment>;

/** A source as its folders left it, before it meets anybody. */
export interface Startup {
  readonly life: ClaimedLife;
  /** When its first life began. */
  readonly startedAt: Date;
  /** Its run is over. */
  readonly wasOver: boolean;
  readonly snapshots: Snapshots;
}

/** Claims a life in the state folder, and looks what there is of the run's record. Rejects if that is another run's. */
export async function startUp({ config, options, environment }: SourceStart): Promise<Startup> {
  const { run, record } = options;
  const { pid, disk } = environment;
  const life = await claimLife("source", options, environment);
  const { batches } = config.run;
  life.log.info({ data: config.data.set, batches, seed: config.seed, pid }, "started");
  const wasOver = await isOver(record, run, config, disk);
  if (wasOver) life.log.info({ record }, "the run was over already");
  const startedAt = await beginning(record, environment.date(), disk);
  const place = { run, record, configHash: configHash(config), layers: config.layers.length };
  return { life, startedAt, wasOver, snapshots: await Snapshots.open(place, disk) };
}
