import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunView, WorkerView } from "../../shared/record/hub-api.ts";
import type { EventLine, Segment } from "../../shared/record/lines.ts";
import { batchesOf } from "../../shared/record/segments.ts";
import { layerOf, type WorkerName, workerNames } from "../../shared/record/worker-name.ts";
import type { WorkerState } from "../../shared/telemetry/telemetry.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import { shapeOf } from "../hub/worker-view.ts";
import { type RunOnFile, readRecord } from "./record.ts";

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

export type RunState = "training" | "finished" | "stopped";

const ASK_MS = 1_500;
/** Workers that are connected say something twice a second; a segment takes longer on a slow network. */
const SILENT_MS = 10_000;

/** Asks the hub that watches the run, if one answers; else reads its files. Throws as `readRecord` does. */
export async function runStatus(folder: string, now: number): Promise<RunStatus> {
  const hub = dashboardOf(folder);
  const view = hub === undefined ? undefined : await ask(hub, folder);
  return view === undefined ? statusFromFiles(readRecord(folder), now) : statusFromHub(view, hub!);
}

/** Where the page of a run that is watched was said to be. */
export function dashboardOf(folder: string): string | undefined {
  try {
    return new URL(readFileSync(join(folder, "dashboard"), "utf8").trim()).origin;
  } catch {
    return undefined;
  }
}

async function ask(hub: string, folder: string): Promise<RunView | undefined> {
  try {
    const id = folder.split("/").at(-1)!;
    const answer = await fetch(`${hub}/api/runs/${encodeURIComponent(id)}`, {
      signal: AbortSignal.timeout(ASK_MS),
    });
    return answer.ok ? ((await answer.json()) as RunView) : undefined;
  } catch {
    // It has gone, or never was: the files say what is known.
    return undefined;
  }
}

export function statusFromHub({ row, config, workers }: RunView, hub: string): RunStatus {
  const state = row.state === "watched" ? "training" : row.state;
  const heard = workers.map(({ heardAt }) => heardAt ?? 0);
  const { id: run, batch, batches, test } = row;
  const newestAt = Math.max(0, ...heard);
  return {
    run,
    state,
    method: config.learning.method,
    batch,
    batches,
    ...(test && { test }),
    workers,
    hub,
    newestAt,
  };
}

export function statusFromFiles(record: RunOnFile, now: number): RunStatus {
  const { id, config, standing, summary, isTrained, newestAt } = record;
  const workers = workerNames(config).map((name) => workerFromFiles(record, name, now));
  const test = summary?.test ?? standing.evaluations.at(-1)?.test;
  return {
    run: id,
    state: summary ? "finished" : isTrained ? "training" : "stopped",
    method: config.learning.method,
    batch: summary ? summary.batches - 1 : (workers.at(-1)?.batch ?? -1),
    batches: config.run.batches,
    ...(test && { test }),
    workers,
    newestAt,
  };
}

function workerFromFiles(record: RunOnFile, name: WorkerName, now: number): WorkerView {
  const { config, standing, events, isTrained, startedAt } = record;
  const said = events.filter(({ worker, about }) => worker === name || about === name);
  const last = standing.segments(name).at(-1);
  const heardAt = Math.max(last?.at ?? 0, said.findLast(({ worker }) => worker === name)?.at ?? 0);
  const layer = layerOf(name);
  const incarnation = Math.max(last?.incarnation ?? 0, ...said.filter(isOwn).map((each) => each.incarnation));
  return {
    name,
    ...(layer !== undefined ? { layer, shape: shapeOf(config.layers[layer - 1]!) } : {}),
    ...contactOf(said, { isTrained, isHeard: heardAt > 0, isSilent: now - heardAt > SILENT_MS, startedAt }),
    ...(heardAt > 0 ? { heardAt } : {}),
    incarnation,
    batch: last?.last ?? -1,
    perSecond: last && last.spanMs > 0 ? (1000 * batchesOf(last)) / last.spanMs : 0,
    ...figuresOf(last),
    dropped: 0,
  };
}

function isOwn({ about }: EventLine): boolean {
  return about === undefined;
}

function figuresOf(last: Segment | undefined) {
  const { loss, generatorError, cosine, staleness } = last ?? {};
  return {
    ...(loss === undefined ? {} : { loss }),
    ...(generatorError === undefined ? {} : { generatorError }),
    ...(cosine === undefined ? {} : { cosine }),
    ...(staleness === undefined ? {} : { staleness }),
  };
}

interface Circumstances {
  readonly isTrained: boolean;
  readonly isHeard: boolean;
  readonly isSilent: boolean;
  readonly startedAt: number;
}

/** What the last telling event makes of a worker. */
function contactOf(
  said: readonly EventLine[],
  { isTrained, isHeard, isSilent, startedAt }: Circumstances,
): Pick<WorkerView, "contact" | "why" | "since"> & { state?: WorkerState } {
  const telling = said.findLast(({ name }) => name in MEANINGS);
  if (telling === undefined && !isHeard) return { contact: "absent", since: startedAt };
  const { contact = "connected", state = "training" } = telling ? MEANINGS[telling.name]! : {};
  const since = telling?.at ?? startedAt;
  const why = contact === "connected" ? undefined : telling?.text || telling?.name;
  if (contact !== "connected") return { contact, since, ...(why ? { why } : {}) };
  if (!isTrained) return { contact: "gone", why: "not running", since };
  if (isSilent) return { contact: "unreachable", why: "nothing in the files of late", since };
  return { contact, state, since };
}

interface Meaning {
  readonly contact?: WorkerView["contact"];
  readonly state?: WorkerState;
}

const MEANINGS: Readonly<{ [Name in EventLine["name"]]?: Meaning }> = {
  began: {},
  restored: {},
  resumed: {},
  back: {},
  held: { state: "holding" },
  paused: { state: "waiting" },
  finished: { contact: "gone", state: "finished" },
  stopped: { contact: "gone" },
  fenced: { contact: "gone" },
  poisoned: { contact: "gone" },
  unreachable: { contact: "unreachable" },
  died: { contact: "dead" },
  dead: { contact: "dead" },
};
