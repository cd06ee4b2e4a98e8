import { renderSpread } from "./render.ts";
import type { Cell } from "./report.ts";
import { median, type Rounds, ratioOf, spreadOf } from "./statistics.ts";

/** How much each trained, and how well at its end, round by round. */
interface Race {
  readonly batches: number;
  readonly results: Readonly<Record<string, readonly number[]>>;
  /** The name of the one that the others are held against. */
  readonly ours: string;
}

/** A row for each: seconds, batches a second, its result, and ours against it. */
export function raceRows(seconds: Rounds<string>, { batches, results, ours }: Race): Cell[][] {
  return Object.entries(seconds).map(([name, each]) => [
    name,
    renderSpread(spreadOf(each), " s"),
    batches / median(each),
    median(results[name]!),
    renderSpread(ratioOf(seconds[ours]!, each), "×"),
  ]);
}
