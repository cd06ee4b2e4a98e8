import type { EventLine } from "../../shared/record/lines.ts";
import type { StandingRecord } from "../../shared/record/standing.ts";
import { isWorkerName, type WorkerName } from "../../shared/record/worker-name.ts";

/** A time when a worker was away: a vertical line where it went, one where it came back, shade between. */
export interface Outage {
  readonly worker: string;
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
  /** The batch the chain was at. */
  readonly batch: number;
}

const LEAVES: ReadonlySet<string> = new Set(["died", "dead", "unreachable"]);
const RETURNS: ReadonlySet<string> = new Set(["began", "restored", "back"]);

/** In the order they began. A life that went without anybody saying so is known by the next one's beginning. */
export function outagesOf(events: readonly EventLine[], record: StandingRecord): Outage[] {
  const all: Outage[] = [];
  const open = new Map<string, Outage>();
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
function leave(before: Outage | undefined, worker: string, event: EventLine, record: StandingRecord): Outage {
  const isDeath = event.name !== "unreachable";
  if (before) return { ...before, isDeath: before.isDeath || isDeath };
  return { worker, from: placeOf(event, record), isDeath, text: event.text };
}

function comeBack(outage: Outage, event: EventLine, record: StandingRecord): Outage {
  const isRestored = event.name === "restored" && event.batch !== undefined;
  return {
    ...outage,
    to: { at: event.at, batch: batchAt(record, event.at) },
    ...(isRestored ? { restored: event.batch, isDeath: true } : {}),
  };
}

function placeOf(event: EventLine, record: StandingRecord): Place {
  return {
    at: event.at,
    batch: event.name === "died" && event.batch !== undefined ? event.batch : batchAt(record, event.at),
  };
}

/** The highest batch that anybody whose work stands had applied by then. */
export function batchAt(record: StandingRecord, at: number): number {
  const reached = record.workers.flatMap((worker) => {
    const last = record.segments(worker).findLast((segment) => segment.at <= at);
    return last === undefined ? [] : [last.last];
  });
  return Math.max(0, ...reached);
}
