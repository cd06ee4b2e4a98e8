import type { Segment } from "../../shared/record/lines.ts";
import { follows } from "../../shared/record/segments.ts";
import type { StandingRecord } from "../../shared/record/standing.ts";
import { isKnown } from "./format.ts";

/** Along what a curve runs: batches, or seconds since the run began. */
export type Axis = "batch" | "time";

/** `y` null is a gap: nothing is drawn to or from there. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

export interface Curve {
  readonly name: string;
  /** Whose colour it has. */
  readonly worker: string;
  readonly points: readonly Point[];
  /** Few points, each worth a dot. */
  readonly isSparse?: boolean;
  /** Of the run laid over. */
  readonly isOverlay?: boolean;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What the numbers are, in a few words. */
  readonly unit: string;
  readonly curves: readonly Curve[];
  /** Of an axis that may be logarithmic. */
  readonly mayBeLog?: boolean;
  /** Numbers on this axis lie in this range, whatever the curves do. */
  readonly range?: readonly [number | null, number | null];
}

export interface Recorded {
  readonly record: StandingRecord;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Silence so long between two segments is a gap on an axis of time. */
const PAUSE_MS = 2_000;

export function chartsOf(run: Recorded, axis: Axis): Chart[] {
  const { record } = run;
  const layers = record.workers.filter((worker) => worker !== "source");
  const curvesOf = (
    workers: readonly string[],
    of: (segment: Segment) => number | undefined,
    name?: string,
  ) =>
    workers
      .map((worker) => ({ name: name ?? worker, worker, points: pointsOf(run, worker, axis, of) }))
      .filter(hasPoints);
  const test = (name: string, of: (test: TestFigures) => number | undefined): Curve => ({
    ...{ name, worker: "test", isSparse: true },
    points: testPointsOf(run, axis, of),
  });
  const charts: Chart[] = [
    {
      ...{ id: "loss", title: "Loss", unit: "training at the head; test", mayBeLog: true },
      curves: [...curvesOf(layers, ({ loss }) => loss, "training"), test("test", ({ loss }) => loss)],
    },
    {
      ...{ id: "accuracy", title: "Test accuracy", unit: "% of held-out examples" },
      curves: [
        test("right", ({ error }) => 100 * (1 - error)),
        test("every bit right", ({ exact }) => (exact === undefined ? undefined : 100 * exact)),
      ],
      range: [null, 100],
    },
    {
      ...{ id: "rate", title: "Rate", unit: "batches a second", range: [0, null] },
      curves: curvesOf(record.workers, rateOf),
    },
    {
      ...{
        id: "generator-error",
        title: "Guess error",
        unit: "|guess − target|² ÷ |target|²; 1 is no better than zero",
      },
      ...{ mayBeLog: true, curves: curvesOf(layers, ({ generatorError }) => generatorError) },
    },
    {
      ...{ id: "cosine", title: "Guess direction", unit: "cosine of guess and target", range: [null, 1] },
      curves: curvesOf(layers, ({ cosine }) => cosine),
    },
    {
      ...{ id: "staleness", title: "Staleness", unit: "age of targets, in batches", range: [0, null] },
      curves: curvesOf(layers, ({ staleness }) => staleness),
    },
  ];
  return charts.map((chart) => ({ ...chart, curves: chart.curves.filter(hasPoints) }));
}

interface TestFigures {
  readonly loss: number;
  readonly error: number;
  readonly exact?: number;
}

/** The same charts with another run's curves behind them. */
export function overlaid(charts: readonly Chart[], others: readonly Chart[]): Chart[] {
  return charts.map((chart) => {
    const other = others.find(({ id }) => id === chart.id);
    const behind = (other?.curves ?? []).map((curve) => ({ ...curve, isOverlay: true }));
    return { ...chart, curves: [...chart.curves, ...behind] };
  });
}

function pointsOf(
  run: Recorded,
  worker: string,
  axis: Axis,
  of: (segment: Segment) => number | undefined,
): Point[] {
  const points: Point[] = [];
  let before: Segment | undefined;
  for (const segment of run.record.segments(worker)) {
    const value = of(segment);
    // A stretch without this figure (nobody answered) is a gap as well.
    if (!isKnown(value)) {
      if (points.length > 0 && points.at(-1)!.y !== null)
        points.push({ x: xOf(run, axis, segment), y: null });
    } else {
      if (before && isApart(before, segment, axis)) points.push({ x: justAfter(run, axis, before), y: null });
      points.push({ x: xOf(run, axis, segment), y: value });
    }
    before = segment;
  }
  return inOrder(points);
}

/** Batches are missing between them; or, on an axis of time, nothing was done. */
function isApart(before: Segment, after: Segment, axis: Axis): boolean {
  if (!follows(before, after)) return true;
  if (axis === "batch") return false;
  const idleMs = after.at - after.spanMs - before.at;
  return idleMs > PAUSE_MS && idleMs > after.spanMs;
}

function xOf({ startedAt }: Recorded, axis: Axis, segment: Segment): number {
  return axis === "batch" ? segment.last : (segment.at - startedAt) / 1000;
}

function justAfter(run: Recorded, axis: Axis, segment: Segment): number {
  return xOf(run, axis, segment) + (axis === "batch" ? 0.5 : 0.001);
}

/** Clocks may be set back; a curve never runs backwards. */
function inOrder(points: readonly Point[]): Point[] {
  let highest = Number.NEGATIVE_INFINITY;
  return points.filter(({ x }) => {
    if (x <= highest) return false;
    highest = x;
    return true;
  });
}

function testPointsOf(
  { record, startedAt }: Recorded,
  axis: Axis,
  of: (test: TestFigures) => number | undefined,
): Point[] {
  const points = record.evaluations.flatMap(({ batch, at, test }) => {
    const y = of(test);
    return isKnown(y) ? [{ x: axis === "batch" ? batch : (at - startedAt) / 1000, y }] : [];
  });
  return inOrder(points);
}

function rateOf({ first, last, spanMs }: Segment): number | undefined {
  return spanMs > 0 ? (1000 * (last - first + 1)) / spanMs : undefined;
}

function hasPoints({ points }: Curve): boolean {
  return points.length > 0;
}

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

export function titleOf({ name, isOverlay }: Curve): string {
  return isOverlay ? `${name} (other run)` : name;
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
