import type { TestResult } from "../../wire/frames.ts";
import type { Segment } from "../lines.ts";
import { isKnown } from "../numbers.ts";
import type { StandingRecord } from "../standing.ts";
import { batchesOf, follows } from "./segments.ts";

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
  /** Of a curve, at most. */
  readonly points?: number;
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
  const test = (name: string, of: (test: TestResult) => number | undefined): Curve => ({
    ...{ name, worker: "test", isSparse: true },
    points: testPointsOf(run, axis, of),
  });
  const charts: Chart[] = [
    {
      ...{ id: "loss", title: "Loss", unit: "training at the head; test", mayBeLog: true },
      curves: [...curvesOf(layers, ({ loss }) => loss, "training"), test("test", ({ loss }) => loss)],
    },
    {
      ...{
        id: "accuracy",
        title: "Test accuracy",
        unit: "% of held-out examples; of values, of their variance",
      },
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
  for (const segment of run.record.segments(worker, run.points)) {
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
  of: (test: TestResult) => number | undefined,
): Point[] {
  const points = record.evaluations.flatMap(({ batch, at, test }) => {
    const y = of(test);
    return isKnown(y) ? [{ x: axis === "batch" ? batch : (at - startedAt) / 1000, y }] : [];
  });
  return inOrder(points);
}

function rateOf(segment: Segment): number | undefined {
  return segment.spanMs > 0 ? (1000 * batchesOf(segment)) / segment.spanMs : undefined;
}

function hasPoints({ points }: Curve): boolean {
  return points.length > 0;
}

export function titleOf({ name, isOverlay }: Curve): string {
  return isOverlay ? `${name} (other run)` : name;
}
