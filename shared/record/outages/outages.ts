import type { EventLine, Segment } from "../lines.ts";
import type { StandingRecord } from "../standing.ts";
import { isWorkerName, type WorkerName } from "../worker-name.ts";

/** A time in which a worker was away, or did not do what it could. */
export interface Outage {
  readonly worker: WorkerName;
  /** silent: nobody knows that it died. paused, delayed: it was told to. */
  readonly kind: "dead" | "silent" | "paused" | "delayed";
  readonly from: Place;
  /** Undefined while it is still away. */
  readonly to?: Place;
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
/** A life that ends takes with it what it was told. */
const OVER = ["died", "dead", "stopped", "began", "restored"];
const ORDERS = [
  { kind: "paused", begins: "paused", ends: new Set([...OVER, "resumed"]) },
  { kind: "delayed", begins: "delayed", ends: new Set([...OVER, "undelayed"]) },
] as const;

/** What it did to the curves, in the order it began. */
export function outagesOf(events: readonly EventLine[], record: StandingRecord): Outage[] {
  const inOrder = events.toSorted((a, b) => a.at - b.at);
  return [
    ...absencesOf(inOrder, record),
    ...ORDERS.flatMap((order) => toldOf(inOrder, record, order)),
  ].toSorted((a, b) => a.from.at - b.from.at);
}

/** A worker was not there. */
export function isAbsence({ kind }: Outage): boolean {
  return kind === "dead" || kind === "silent";
}

/** Where a worker was paused, or delayed what it sent. */
function toldOf(
  events: readonly EventLine[],
  record: StandingRecord,
  { kind, begins, ends }: (typeof ORDERS)[number],
): Outage[] {
  const all: Outage[] = [];
  const open = new Map<WorkerName, Outage>();
  for (const event of events) {
    const worker = subjectOf(event);
    const before = worker && open.get(worker);
    if (worker === undefined || (event.name !== begins && !before)) continue;
    if (before && ends.has(event.name)) {
      all.push({ ...before, to: { at: event.at, batch: batchAt(record, event.at) } });
      open.delete(worker);
    } else if (!before) open.set(worker, { worker, kind, from: placeOf(event, record), text: event.text });
  }
  return [...all, ...open.values()];
}

/** A life that went without anybody saying so is known by the next one's beginning. */
function absencesOf(events: readonly EventLine[], record: StandingRecord): Outage[] {
  const all: Outage[] = [];
  const open = new Map<WorkerName, Outage>();
  const goingBack = new Set<WorkerName>();
  for (const event of events) {
    const worker = subjectOf(event);
    if (worker === undefined) continue;
    const before = open.get(worker);
    if (event.name === "rewound") goingBack.add(worker);
    else if (LEAVES.has(event.name)) open.set(worker, leave(before, worker, event, record));
    else if (RETURNS.has(event.name)) {
      if (before) all.push(comeBack(before, event, record));
      else if (event.name === "restored" && event.incarnation > 1 && !goingBack.has(worker)) {
        all.push(comeBack(leave(undefined, worker, event, record), event, record));
      }
      open.delete(worker);
      goingBack.delete(worker);
    }
  }
  return [...all, ...open.values()];
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
  const kind = event.name === "unreachable" ? "silent" : "dead";
  if (before) return kind === "dead" ? { ...before, kind } : before;
  return { worker, kind, from: placeOf(event, record), text: event.text || event.name };
}

function comeBack(outage: Outage, event: EventLine, record: StandingRecord): Outage {
  const isRestored = event.name === "restored" && event.batch !== undefined;
  return {
    ...outage,
    to: { at: event.at, batch: batchAt(record, event.at) },
    ...(isRestored ? { restored: event.batch, kind: "dead" as const } : {}),
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
