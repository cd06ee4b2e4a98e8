import type { EventLine, Segment } from "./lines.ts";

/** A time in which a worker was away. Milliseconds since 1970. */
export interface Outage {
  readonly worker: string;
  readonly from: number;
  /** Undefined where it has not come back. */
  readonly to: number | undefined;
  readonly why: string;
}

const GOES = new Set<EventLine["name"]>(["died", "dead", "unreachable"]);
const COMES = new Set<EventLine["name"]>(["began", "restored", "back"]);

/** In the order of their beginnings. What several say of the same absence is one. */
export function outagesOf(events: readonly EventLine[]): Outage[] {
  const away = new Map<string, Outage>();
  const all: Outage[] = [];
  for (const { name, worker, about = worker, at, text } of events.toSorted((a, b) => a.at - b.at)) {
    const down = away.get(about);
    if (GOES.has(name) && down === undefined) {
      away.set(about, { worker: about, from: at, to: undefined, why: text || name });
    }
    if (COMES.has(name) && down !== undefined) {
      all.push({ ...down, to: at });
      away.delete(about);
    }
  }
  return [...all, ...away.values()].toSorted((a, b) => a.from - b.from);
}

/** The batch that was in work at a time, by the segments that stand; a fraction, 0 before the first. */
export function batchAt(segments: readonly Segment[], at: number): number {
  const next = segments.find((segment) => segment.at >= at);
  if (next === undefined) return segments.at(-1)?.last ?? 0;
  const share = next.spanMs > 0 ? 1 - (next.at - at) / next.spanMs : 1;
  return next.first + Math.max(0, share) * (next.last - next.first);
}
