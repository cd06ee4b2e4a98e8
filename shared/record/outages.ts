import type { EventLine, Segment } from "./lines.ts";
import type { StandingRecord } from "./standing.ts";
import { isWorkerName, type WorkerName } from "./worker-name.ts";

/** A time in which a worker was away. */
export interface Outage {
  readonly worker: WorkerName;
  readonly from: Place;
  /** Undefined while it is still away. */
  readonly to?: Place;
  /** unreachable only: nobody knows that it died. */
  readonly isDeath: boolean;
  /** Batch of the checkpoint it began at again. */
  readonly restored?: number;
  readonly text: string;
}

export interface Place {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The batch the chain was at, a fraction. */
  readonly batch: number;
}

const LEAVES: ReadonlySet<string> = new Set(["died", "dead", "unreachable"]);
const RETURNS: ReadonlySet<string> = new Set(["began", "restored", "back"]);

/** In the order they began. A life that went without anybody saying so is known by the next one's beginning. */
export function outagesOf(events: readonly EventLine[], record: StandingRecord): Outage[] {
  const all: Outage[] = [];
  const open = new Map<WorkerName, Outage>();
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const worker = subjectOf(event);
    if (worker === undefined) continue;
    const before = open.get(worker);
    if (LEAVES.has(event.name)) open.set(worker, leave(before, worker, event, record));
    else if (RETURNS.has(event.name)) {
      if (before) all.push(comeBack(before, event, record));
      else if (event.name === "restored" && event.incarnation > 1) {
        all.push(comeBack(leave(undefined, worker, event, record), event, record));
      }
      open.delete(worker);
    }
  }
  return [...all, ...open.values()].toSorted((a, b) => a.from.at - b.from.at);
}

/** Whom it happened to: the hub and "train" speak of others. Undefined where that is no worker. */
export function subjectOf({ worker, about }: Pick<EventLine, "worker" | "about">): WorkerName | undefined {
  return [about, worker].find((name) => name !== undefined && isWorkerName(name)) as WorkerName | undefined;
}

/** Silent first and known to be dead later is one outage. */
function leave(
  before: Outage | undefined,
  worker: WorkerName,
  event: EventLine,
  record: StandingRecord,
): Outage {
  const isDeath = event.name !== "unreachable";
  if (before) return { ...before, isDeath: before.isDeath || isDeath };
  return { worker, from: placeOf(event, record), isDeath, text: event.text || event.name };
}

function comeBack(outage: Outage, event: EventLine, record: StandingRecord): Outage {
  const isRestored = event.name === "restored" && event.batch !== undefined;
  return {
    ...outage,
    to: { at: event.at, batch: batchAt(record, event.at) },
    ...(isRestored ? { restored: event.batch, isDeath: true } : {}),
  };
}

function placeOf({ at, name, batch }: EventLine, record: StandingRecord): Place {
  return { at, batch: name === "died" && batch !== undefined ? batch : batchAt(record, at) };
}

/** The highest batch that anybody whose work stands had in work then; a fraction, 0 before the first. */
export function batchAt(record: StandingRecord, at: number): number {
  return Math.max(0, ...record.workers.map((worker) => workAt(record.segments(worker), at)));
}

function workAt(segments: readonly Segment[], at: number): number {
  const next = segments.find((segment) => segment.at >= at);
  if (next === undefined) return segments.at(-1)?.last ?? 0;
  const share = next.spanMs > 0 ? 1 - (next.at - at) / next.spanMs : 1;
  return next.first + Math.max(0, share) * (next.last - next.first);
}
