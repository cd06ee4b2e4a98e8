import type { Logger } from "pino";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import type { Config } from "../../shared/config/config.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import { PendingLines } from "../../shared/telemetry/pending-lines.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Environment } from "../worker/environment.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { beginning, isOver } from "./record.ts";
import { Snapshots } from "./snapshots.ts";

/** What the process lends: its world, its data, its chance, its parent and its log. */
export interface SourceEdges extends Environment {
  readonly data: DataSet;
  /** `hear` gets every line too. */
  readonly log: (incarnation: number, hear?: (line: string) => void) => Logger;
  readonly tell: (telemetry: Telemetry) => Promise<void>;
  readonly random: () => number;
  readonly pid: number;
  readonly nodeVersion: string;
}

export type SourceOptions = WorkerOptions & { readonly record: string; readonly successor: string };

/** A source as its folders left it, before it meets anybody. */
export interface Startup {
  readonly incarnation: number;
  readonly log: Logger;
  /** What a hub is to hear; undefined where there is none. */
  readonly unsaid: PendingLines | undefined;
  /** When its first life began. */
  readonly startedAt: Date;
  /** Its run is over. */
  readonly wasOver: boolean;
  readonly snapshots: Snapshots;
}

/** Claims a life in the state folder, and looks what there is of the run's record. Rejects if that is another run's. */
export async function startUp(config: Config, options: SourceOptions, edges: SourceEdges): Promise<Startup> {
  const incarnation = await claimIncarnation(options.state, edges.disk);
  const unsaid = options.hub && edges.hub ? new PendingLines("source", incarnation) : undefined;
  const log = edges.log(incarnation, unsaid && ((text) => unsaid.say({ kind: "log", text })));
  const { pid } = edges;
  log.info({ data: config.data.set, batches: config.run.batches, seed: config.seed, pid }, "started");
  const wasOver = await isOver(options.record, options.run, config, edges.disk);
  if (wasOver) log.info({ record: options.record }, "the run was over already");
  const startedAt = await beginning(options.record, edges.date(), edges.disk);
  const place = { run: options.run, record: options.record, configHash: configHash(config) };
  const snapshots = await Snapshots.open({ ...place, layers: config.layers.length }, edges.disk);
  return { incarnation, log, unsaid, startedAt, wasOver, snapshots };
}
