/** How fast a cursor has moved of late. */
export type Pace = readonly Sample[];

interface Sample {
  readonly atMs: number;
  readonly cursor: number;
}

const WINDOW_MS = 20_000;
const SHORTEST_MS = 2_000;
const BETWEEN_MS = 500;

/** A cursor that went back (a layer was restored) starts afresh: what was fast before says nothing of work redone. */
export function keepPace(pace: Pace, atMs: number, cursor: number): Pace {
  const last = pace.at(-1);
  if (last === undefined || cursor < last.cursor) return [{ atMs, cursor }];
  if (atMs - last.atMs < BETWEEN_MS) return pace;
  return [...pace.filter((sample) => atMs - sample.atMs <= WINDOW_MS), { atMs, cursor }];
}

/** Batches a second over the window; undefined while too short a time to tell, or nothing moves. */
export function batchesPerSecond(pace: Pace): number | undefined {
  const [first, last] = [pace[0], pace.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < SHORTEST_MS) return undefined;
  const perSecond = (1000 * (last.cursor - first.cursor)) / (last.atMs - first.atMs);
  return perSecond > 0 ? perSecond : undefined;
}
