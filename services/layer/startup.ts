import type { Logger } from "pino";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import { learningOfLayer } from "../../shared/dni/build-layer.ts";
import { isLocked } from "../../shared/dni/layer-options.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { PendingLines, readNotes } from "../../shared/telemetry/pending-lines.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Environment } from "../worker/environment.ts";
import { Meter } from "../worker/meter.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { LayerWork } from "./layer-work.ts";
import { Lineage, NOTES } from "./lineage.ts";

/** What the process lends: its world, its chance, its parent and its log. */
export interface LayerEdges extends Environment {
  readonly kernels: Kernels;
  /** The learning side, as the arguments say; a simulation looks over its shoulder. */
  readonly work?: (...build: ConstructorParameters<typeof LayerWork>) => LayerWork;
  /** Given who speaks; the incarnation is known only after the state folder was read. `hear` gets every line too. */
  readonly log: (incarnation: number, hear?: (line: string) => void) => Logger;
  readonly tell: (telemetry: Telemetry) => Promise<void>;
  readonly random: () => number;
  readonly pid: number;
}

export type LayerOptions = WorkerOptions & { readonly layer: number };

/** A layer as its state folder left it, before it meets anybody. */
export interface Startup {
  readonly incarnation: number;
  readonly log: Logger;
  readonly work: LayerWork;
  readonly lineage: Lineage;
  readonly meter: Meter;
  /** What a hub is to hear; undefined where there is none. */
  readonly unsaid: PendingLines | undefined;
  /** Its cursor; undefined if it begins from nothing. */
  readonly restoredAt: number | undefined;
  /** Its run was over when it was saved. */
  readonly isOver: boolean;
}

/** Throws unless there is such a layer, and it has a successor exactly if one follows. */
export function requireLayer({ layers }: Config, { layer, successor }: LayerOptions): void {
  if (layer > layers.length)
    throw new Error(`Cannot start: this is layer ${layer}, the network has ${layers.length}`);
  const isHead = layer === layers.length;
  if (isHead && successor !== undefined)
    throw new Error(`Cannot start: layer ${layer} is the last one, and takes no --successor`);
  if (!isHead && successor === undefined)
    throw new Error(`Cannot start: layer ${layer} of ${layers.length} needs --successor`);
}

/**
 * Claims a life in the state folder, and restores the newest checkpoint there is. Rejects where none of several is valid.
 * The rates of learning are halved `halvings` times.
 */
export async function startUp(
  config: Config,
  options: LayerOptions,
  edges: LayerEdges,
  halvings: number,
): Promise<Startup> {
  const { layer, run, state } = options;
  const identity = { run, layer, configHash: configHash(config) };
  const store = new CheckpointStore(state, edges.disk);
  // Before the claim, which ends whoever lives in this folder: a stranger must not. After it, for what that one saved last.
  const before = await store.loadNewest(identity);
  const incarnation = await claimIncarnation(state, edges.disk);
  const { restored, skipped } = await store.loadNewest(identity);
  const unsaid = options.hub && edges.hub ? new PendingLines(`layer${layer}`, incarnation) : undefined;
  const log = edges.log(incarnation, unsaid && ((text) => unsaid.say({ kind: "log", text })));
  const { inputs, outputs } = config.layers[layer - 1]!;
  log.info({ inputs, outputs, kernels: edges.kernels.name, pid: edges.pid }, "started");
  for (const { path, why, isDamaged } of [...before.skipped, ...skipped])
    log.warn({ path, why }, isDamaged ? "checkpoint set aside" : "checkpoint cannot be read, passed over");
  const { window, schedule } = config.delivery;
  const kept = window + (schedule === "free" ? 0 : schedule.staleness);
  const dtypes = { input: dataFacts(config.data).inputType, link: config.wire.dtype };
  const newWork = edges.work ?? ((...build) => new LayerWork(...build));
  const work = newWork(edges.kernels, slowed(config, halvings), layer, { ticketsKept: kept, dtypes });
  const born = { ...identity, incarnation, batches: config.run.batches };
  const meter = new Meter(edges.now(), (segment) =>
    unsaid?.segment({ ...segment, at: edges.date().getTime() }),
  );
  const notes = () => {
    meter.endSegment(edges.now());
    return unsaid?.notes();
  };
  const lineage = new Lineage(
    born,
    { checkpoints: store, snapshots: new SnapshotStore(state, edges.disk) },
    () => work.state(),
    notes,
  );
  if (restored) {
    const { checkpoint, ageMs, path } = restored;
    work.restore(checkpoint);
    lineage.continueFrom(checkpoint);
    const recalled = readNotes(checkpoint.notes?.[NOTES]);
    if (recalled) unsaid?.recall(recalled);
    log.info({ batch: checkpoint.cursor, ageMs: Math.round(ageMs), path }, "restored");
  }
  const restoredAt = restored?.checkpoint.cursor;
  const isOver = restored?.checkpoint.finished ?? false;
  return { incarnation, log, work, lineage, meter, unsaid, restoredAt, isOver };
}

function slowed(config: Config, halvings: number): Config {
  const { layer, generator, inputGenerator } = config.learning;
  const factor = 0.5 ** halvings;
  const learning = {
    ...config.learning,
    layer: { ...layer, rate: layer.rate * factor },
    generator: { ...generator, rate: generator.rate * factor },
    ...(inputGenerator && { inputGenerator: { ...inputGenerator, rate: inputGenerator.rate * factor } }),
  };
  return { ...config, learning };
}

/** What delivery needs to know of the run. */
export function rulesOf(config: Config, layer: number): Rules {
  const { run, delivery, layers } = config;
  const learning = learningOfLayer(config, layer);
  const { window, schedule, stalenessBudget } = delivery;
  return {
    batches: run.batches,
    window,
    isHead: layer === layers.length,
    isLocked: isLocked(learning),
    isUnlocked: learning.inputGenerator !== undefined,
    ...(schedule === "free" ? {} : { staleness: schedule.staleness }),
    // What a local layer learns from is never stale.
    stalenessBudget: learning.method === "local" ? run.batches : stalenessBudget,
  };
}
