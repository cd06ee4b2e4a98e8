import { type Axis, type Chart, type Point, titleOf } from "../../../shared/record/curves/curves.ts";
import { isKnown } from "../../../shared/record/numbers.ts";

/**
 * A running mean: each point keeps `weight` of the mean so far. It begins at the first point rather than at zero, and
 * anew after a gap; 0 changes nothing.
 */
export function smoothed(points: readonly Point[], weight: number): Point[] {
  let [sum, share] = [0, 0];
  return points.map(({ x, y }) => {
    if (y === null) {
      [sum, share] = [0, 0];
      return { x, y };
    }
    sum = weight * sum + (1 - weight) * y;
    share = weight * share + (1 - weight);
    return { x, y: sum / share };
  });
}

export type Column = (number | null | undefined)[];

/**
 * One column of x for all curves, and one of y for each. Where a curve has no point it is undefined, which a line runs
 * past; where it has a gap it is null, which no line crosses.
 */
export function aligned(curves: readonly (readonly Point[])[]): [number[], ...Column[]] {
  const xs = [...new Set(curves.flatMap((points) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const places = new Map(xs.map((x, index) => [x, index]));
  const columns = curves.map((points) => {
    const column: Column = new Array<undefined>(xs.length).fill(undefined);
    for (const { x, y } of points) column[places.get(x)!] = y;
    return column;
  });
  return [xs, ...columns];
}

/** A chart as a table, without what is smoothed (RFC 4180). */
export function chartCsv({ curves }: Chart, axis: Axis): string {
  const [xs, ...columns] = aligned(curves.map(({ points }) => points));
  const header = [axis === "batch" ? "batch" : "seconds", ...curves.map(titleOf)];
  const rows = xs.map((x, index) => [x, ...columns.map((column) => column[index] ?? "")]);
  return [header, ...rows].map((cells) => `${cells.join(",")}\r\n`).join("");
}

/** The value at a place, or of the nearest point at most a few before: what a read-out says there. */
export function valueAt(xs: readonly number[], column: Column, index: number | null): number | undefined {
  const [from, reach] = index === null ? [xs.length - 1, xs.length] : [index, 50];
  for (let place = from; place >= 0 && from - place <= reach; place -= 1) {
    const value = column[place];
    if (value === null && index !== null) return undefined;
    if (isKnown(value)) return value;
  }
  return undefined;
}
