import type { WorkerView } from "../../shared/record/hub-api.ts";
import type { WorkerName } from "../../shared/record/worker-name.ts";
import type { Goodbye, Standing } from "../../shared/telemetry/messages.ts";

/** The clock of the wall may be set back while the hub runs: what is shown goes by it, what is awaited by the steady one. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly steadyMs: number;
}

/**
 * What is known of a worker, on paper: no socket, no clock. Every function gives what is known afterwards, the same object
 * where nothing changed.
 */
export interface Known {
  readonly name: WorkerName;
  readonly contact: WorkerView["contact"];
  readonly why?: string | undefined;
  readonly since: number;
  readonly heardAt?: number | undefined;
  /** The same by the steady clock; undefined where it was before this hub began. */
  readonly heardMs?: number | undefined;
  readonly incarnation: number;
  readonly instance?: string | undefined;
  readonly pid?: number | undefined;
  readonly node?: string | undefined;
  readonly store?: string | undefined;
  /** When that life was first heard of. */
  readonly introducedAt?: number | undefined;
  readonly progress?: Standing["progress"] | undefined;
  readonly dropped: number;
  /** Of the last few seconds, the oldest first. */
  readonly traffic: readonly Traffic[];
}

interface Traffic {
  readonly steadyMs: number;
  readonly sent: number;
  readonly received: number;
}

/** What a worker says of its life when it comes. */
interface Introduced {
  readonly incarnation: number;
  readonly instance: string;
  readonly pid: number;
  readonly node?: string;
  readonly store?: string;
}

/** A worker that reports twice a second is silent after that. */
const SILENT_MS = 2_500;
const TRAFFIC_MS = 3_000;

/** What the record says of a worker that has not been heard since the hub began. */
export function remembered({ name, contact, why, since, incarnation, heardAt }: WorkerView): Known {
  const isGuess = contact === "connected" || why === "not running";
  const now = isGuess ? ({ contact: "unreachable", why: "not heard since the hub began" } as const) : {};
  return { name, contact, why, since, incarnation, heardAt, dropped: 0, traffic: [], ...now };
}

/** Undefined where an older life speaks: the newest one is shown. */
export function introduced(known: Known, life: Introduced, now: Moment): Known | undefined {
  if (life.incarnation < known.incarnation) return undefined;
  const isSame = life.instance === known.instance;
  const { incarnation, instance, pid, node, store } = life;
  const fresh = { progress: undefined, traffic: [], dropped: 0, introducedAt: now.at };
  const before = isSame ? known : { ...known, ...fresh };
  return heard({ ...before, incarnation, instance, pid, node, store }, now);
}

export function heard(known: Known, now: Moment): Known {
  const { at: heardAt, steadyMs: heardMs } = now;
  return { ...withContact(known, "connected", undefined, now), heardAt, heardMs };
}

export function stood(known: Known, { progress, dropped }: Standing, now: Moment): Known {
  const { steadyMs } = now;
  const traffic = { steadyMs, sent: progress.bytesSent, received: progress.bytesReceived };
  const recent = known.traffic.filter((each) => steadyMs - each.steadyMs <= TRAFFIC_MS);
  return heard({ ...known, progress, dropped, traffic: [...recent, traffic] }, now);
}

export function silent(known: Known, now: Moment): Known {
  const silentMs = now.steadyMs - (known.heardMs ?? now.steadyMs);
  if (known.contact !== "connected" || silentMs < SILENT_MS) return known;
  return withContact(known, "unreachable", "silent", now);
}

/** Its connection broke without a goodbye; `answer` is what its port says. */
export function broken(known: Known, answer: "nobody" | "somebody" | "nothing", now: Moment): Known {
  if (known.contact === "gone" || known.contact === "dead") return known;
  if (answer === "nobody") return withContact(known, "dead", "nobody listens at its port", now);
  return withContact(
    known,
    "unreachable",
    answer === "somebody" ? "it lives, and its connection broke" : "its connection broke",
    now,
  );
}

export function saidGoodbye(known: Known, why: Goodbye["why"], now: Moment): Known {
  return withContact(known, "gone", why, now);
}

/** Its parent says how its process ended; a goodbye has said it better. */
export function died(known: Known, why: string, now: Moment): Known {
  return known.contact === "gone" ? known : withContact(known, "dead", why, now);
}

function withContact(known: Known, contact: Known["contact"], why: string | undefined, now: Moment): Known {
  if (known.contact === contact && known.why === why) return known;
  return { ...known, contact, why, since: known.contact === contact ? known.since : now.at };
}

/** Bytes a second over the last few seconds; undefined before there are two points. */
export function bytesPerSecond(
  known: Known,
): { readonly sends: number; readonly receives: number } | undefined {
  const [first, last] = [known.traffic[0], known.traffic.at(-1)];
  if (first === undefined || last === undefined || last.steadyMs <= first.steadyMs) return undefined;
  const perMs = 1000 / (last.steadyMs - first.steadyMs);
  return { sends: (last.sent - first.sent) * perMs, receives: (last.received - first.received) * perMs };
}
