import type { Checkpoint, Identity } from "../../shared/checkpoint/checkpoint.ts";
import type { Restored, Skipped } from "../../shared/checkpoint/restored.ts";
import { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import type { Config, Method } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { Written } from "../../shared/delivery/delivery-state.ts";
import { dueBefore } from "../../shared/delivery/pinned.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import type { Standing } from "../../shared/delivery/standing.ts";
import { learningOfLayer } from "../../shared/dni/build-layer.ts";
import { isLocked } from "../../shared/dni/layer-options.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { layerName } from "../../shared/record/worker-name.ts";
import { readNotes } from "../../shared/telemetry/pending-lines.ts";
import { type ClaimedLife, claimLife } from "../worker/claim-life.ts";
import type { Environment } from "../worker/environment.ts";
import type { Start } from "../worker/listen-first.ts";
import type { WorkerOptions } from "../worker/options.ts";
import { isReleased, Lineage, NOTES, standingIn } from "./lineage.ts";
import { WatchedWork } from "./look/watched-work.ts";

interface Order {
  /** Whether it is written. */
  note(batch: number, learnt: number): boolean;
  /** What former lives have written, from this batch on and without a gap; by batch. */
  since(batch: number): Written;
}

/** What a layer's process runs in. */
export interface LayerEnvironment extends Environment {
  readonly kernels: Kernels;
  /** The learning side, as the arguments say; a simulation looks over its shoulder. */
  readonly work?: (...build: ConstructorParameters<typeof WatchedWork>) => WatchedWork;
  /** Where it says how many targets it had learnt before which batch; without it nobody can compute a free run again. */
  readonly order?: Order;
}

export type LayerOptions = WorkerOptions & { readonly layer: number };

export type LayerStart = Start<LayerOptions, LayerEnvironment>;

/** A layer as its state folder left it, before it meets anybody. */
export interface Startup {
  readonly life: ClaimedLife;
  readonly work: WatchedWork;
  readonly lineage: Lineage;
  /** There may be an earlier checkpoint to go back to. Else whatever is asked for is answered at present weights. */
  readonly mayGoBack: boolean;
  /** Why what it learns may differ from what a former life would have learnt. */
  readonly inexact: string | undefined;
  /** Free: what it does as a former life did it. */
  readonly written: Written;
  /** Of what it was restored from; undefined if it begins from nothing. */
  readonly restored:
    | { readonly cursor: number; readonly finished: boolean; readonly isReleased: boolean }
    | undefined;
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
 * With `reach`: the newest from which this batch can be repeated. The rates of learning are halved `halvings` times.
 */
export async function startUp(start: LayerStart, halvings: number, reach?: number): Promise<Startup> {
  const { config, options, environment } = start;
  const { layer, run, state } = options;
  const identity = { run, layer, configHash: configHash(config) };
  const checkpoints = new CheckpointStore(state, environment.disk, checkpointsKept(config, layer));
  // Before the claim, which ends whoever lives in this folder: a stranger must not. After it, for what that one saved last.
  const before = await checkpoints.loadNewest(identity);
  const life = await claimLife(layerName(layer), options, environment);
  const { found, skipped, reaches } = await beginning(checkpoints, start, identity, reach);
  const { inputs, outputs } = config.layers[layer - 1]!;
  const { kernels, pid } = environment;
  life.log.info({ inputs, outputs, kernels: kernels.name, pid }, "started");
  for (const { path, why, isDamaged } of [...before.skipped, ...skipped])
    life.log.warn(
      { path, why },
      isDamaged ? "checkpoint set aside" : "checkpoint cannot be read, passed over",
    );
  if (!reaches) life.log.warn({ reach }, "cannot go back that far: this recovery leaves a trace");
  const rules = rulesOf(config, layer);
  const next = (found?.checkpoint.cursor ?? -1) + 1;
  const order = leavesNoTrace(rules) && isOrderFree(rules) ? environment.order : undefined;
  const written = order?.since(next) ?? [];
  const work = newWork(start, halvings, written);
  const born = { ...identity, incarnation: life.incarnation, batches: config.run.batches };
  const stores = { checkpoints, snapshots: new SnapshotStore(state, environment.disk) };
  const pending = () => {
    life.meter.endSegment(environment.now());
    return life.pending?.notes();
  };
  const keeping = {
    lowestAsked: (cursor: number, standing: Standing) => lowestAsked(rules, cursor, standing),
    keptSince: (firstSent: number, learnt: number) => work.keptSince(firstSent, learnt),
  };
  const lineage = new Lineage(born, stores, () => work.state(), pending, keeping);
  const begun = {
    life,
    work,
    lineage,
    inexact: !reaches
      ? `no checkpoint is old enough to repeat batch ${reach}`
      : order && whyUnordered(order, next - 1),
    written,
    mayGoBack: leavesNoTrace(rules) && reaches,
  };
  if (!found) return { ...begun, restored: undefined };
  restore(found, work, lineage, life);
  const { cursor, finished } = found.checkpoint;
  return { ...begun, restored: { cursor, finished, isReleased: isReleased(found.checkpoint) } };
}

/**
 * The checkpoint to begin with; undefined for none. One before the first is the start itself, which every batch can be
 * repeated from. `reaches`: false where none is old enough, and the newest must do.
 */
async function beginning(
  checkpoints: CheckpointStore,
  { config }: LayerStart,
  identity: Identity,
  reach = Number.POSITIVE_INFINITY,
): Promise<{ found: Restored | undefined; skipped: readonly Skipped[]; reaches: boolean }> {
  const fits = (checkpoint: Checkpoint) => standingIn(checkpoint).firstSent <= reach;
  const { restored, skipped, unfit } = await checkpoints.loadNewest(identity, fits);
  // Not that of the oldest file: a later life may have begun further back.
  const lowest = Math.min(...unfit.map(({ checkpoint }) => checkpoint.cursor));
  const isFirstKept = unfit.length === 0 || lowest < config.run.checkpointEvery;
  const reaches = restored !== undefined || isFirstKept;
  return { found: reaches ? restored : unfit[0], skipped, reaches };
}

/** What a layer has applied it has written down before, in this folder: else the folder came without its order. */
function whyUnordered(order: Order, cursor: number): string | undefined {
  if (cursor < 0 || order.since(cursor)[cursor] !== undefined) return undefined;
  return `the order in which it learnt after batch ${cursor} is lost`;
}

function newWork(
  { config, options, environment }: LayerStart,
  halvings: number,
  written: Written,
): WatchedWork {
  const { window, schedule } = config.delivery;
  const early = schedule === "free" ? mostUnlearnt(written) : schedule.staleness;
  const ticketsKept = window + early;
  const { sentKept: kept } = rulesOf(config, options.layer);
  const dtypes = { input: dataFacts(config.data).inputType, link: config.wire.dtype };
  const make = environment.work ?? ((...build) => new WatchedWork(...build));
  return make(environment.kernels, slowed(config, halvings), options.layer, {
    ticketsKept,
    dtypes,
    ...(kept && { sentKept: kept }),
  });
}

function restore(
  restored: Restored,
  work: WatchedWork,
  lineage: Lineage,
  { log, pending }: ClaimedLife,
): void {
  const { checkpoint, ageMs, path } = restored;
  work.restore(checkpoint);
  lineage.continueFrom(checkpoint);
  if (checkpoint.frames) work.sent?.restore(checkpoint.frames);
  const notes = readNotes(checkpoint.notes?.[NOTES]);
  if (notes) pending?.recall(notes);
  log.info({ batch: checkpoint.cursor, ageMs: Math.round(ageMs), path }, "restored");
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
  const { checkpointEvery, snapshotEvery, evaluateEvery } = run;
  const learning = learningOfLayer(config, layer);
  const { window, schedule } = delivery;
  const kept = config.learning.late ? undefined : sentKept(config, layer);
  return {
    batches: run.batches,
    window,
    isHead: layer === layers.length,
    isLocked: isLocked(learning),
    ...(learning.method === "backprop" &&
      learning.late && { mostWorking: window, settleEvery: [run.evaluateEvery, run.snapshotEvery] }),
    isUnlocked: learning.inputGenerator !== undefined,
    guessesInput: learning.inputGenerator !== undefined && layer > 1,
    ...{ checkpointEvery, snapshotEvery, evaluateEvery },
    ...(schedule === "free" ? {} : { staleness: schedule.staleness }),
    ...(kept !== undefined && { sentKept: kept }),
    stalenessBudget: mostAlone(config, learning.method, kept),
  };
}

/**
 * Batches that it may learn without its successor. In a free run no more than it keeps beyond its window: else a life after
 * this one asks in vain for answers to batches that are gone.
 */
function mostAlone({ delivery }: Config, method: Method, kept: number | undefined): number {
  const { window, schedule, stalenessBudget } = delivery;
  // What a local layer learns from is never stale.
  if (schedule !== "free") return method === "local" ? Number.POSITIVE_INFINITY : stalenessBudget;
  return kept === undefined ? stalenessBudget : Math.min(stalenessBudget, kept - window);
}

/**
 * How many checkpoints are kept. One of a batch that all layers after this one have a checkpoint of, and some for those
 * that lives before this one saved. In a free run each of them may have learnt on alone, without the next.
 */
function checkpointsKept({ run, delivery, layers }: Config, layer: number): number {
  const { window, schedule, stalenessBudget } = delivery;
  const after = Math.max(1, layers.length - layer);
  const kept = (ahead: number) => 4 + Math.ceil(ahead / run.checkpointEvery);
  if (schedule !== "free") return kept(window + 2 * schedule.staleness);
  return Math.min(kept(after * (window + stalenessBudget)), MOST_CHECKPOINTS);
}

/** With a large staleness budget and few batches between checkpoints they would fill a disk. */
const MOST_CHECKPOINTS = 32;

/** Most that a layer keeps of what it sent, beyond what its neighbours surely ask for. */
const MOST_KEPT_BYTES = 64 << 20;

/** A neighbour may lack all since its last durable checkpoint but one, and what this layer has learnt alone meanwhile. */
function sentKept({ run, delivery, layers }: Config, layer: number): number {
  const { inputs, outputs } = layers[layer - 1]!;
  const { window, schedule, stalenessBudget } = delivery;
  const isFree = schedule === "free";
  const few = window + (isFree ? Math.min(stalenessBudget, window) : 2 * schedule.staleness);
  const alone = isFree ? stalenessBudget : 2 * schedule.staleness;
  // The source hears no answers.
  const sent = layer === 1 ? outputs : inputs + outputs;
  const most = Math.floor(MOST_KEPT_BYTES / (4 * run.batchSize * sent));
  return Math.max(few, Math.min(2 * run.checkpointEvery + window + alone, most));
}

/** Whether its targets are learnt as they come, and when that was must be written down to do it again. */
export function isOrderFree({ staleness, isHead, isLocked }: Rules): boolean {
  return staleness === undefined && !isHead && !isLocked;
}

/**
 * A neighbour in a free run does not say what it has learnt: it is held to lack no more than two windows. A layer that
 * hears no targets lacks none.
 */
function lowestAsked(rules: Rules, cursor: number, { learnt }: Standing): number {
  const { sentKept, staleness, window } = rules;
  if (sentKept === undefined) return cursor + 1;
  if (staleness !== undefined) return dueBefore(rules, cursor);
  const lacking = isOrderFree(rules) ? learnt : cursor + 1;
  return Math.max(0, cursor + 1 - sentKept, Math.min(lacking, cursor + 1 - 2 * window));
}

/** At most so many targets are heard before their turn. */
function mostUnlearnt(written: Written): number {
  return written.reduce<number>((most, learnt, batch) => Math.max(most, batch - learnt! + 1), 0);
}

/** Whether what its kills change can be made up for: not with backprop that does not wait for its gradients. */
function leavesNoTrace({ sentKept }: Rules): boolean {
  return sentKept !== undefined;
}
