import type uPlot from "uplot";
import type { Axis, Chart, Curve, Point } from "../../../shared/record/curves/curves.ts";
import { count, stopwatch } from "../../../shared/record/numbers.ts";
import { isAbsence, type Outage, type Place } from "../../../shared/record/outages/outages.ts";
import { layerOf, spokenName } from "../../../shared/record/worker-name.ts";
import { aligned, type Column, smoothed } from "./curves.ts";

/** How all charts are drawn at present. */
export interface Drawing {
  readonly axis: Axis;
  readonly isLog: boolean;
  /** 0 for none, below 1. */
  readonly smoothing: number;
  readonly zoom: Range | undefined;
  /** Of x over all charts, so that one cursor stands at one place in all of them. */
  readonly extent: Range;
}

export type Range = readonly [from: number, to: number];

interface Line {
  readonly curve: Curve;
  readonly points: readonly Point[];
  /** Behind its smoothed twin. */
  readonly isFaint: boolean;
}

/** What is drawn of a chart: each curve, and where it is smoothed a faint one behind it as it was told. */
export function linesOf(chart: Chart, { smoothing, isLog }: Drawing): Line[] {
  return chart.curves.flatMap((curve) => {
    const points = isLog && chart.mayBeLog ? positive(curve.points) : curve.points;
    const plain = { curve, points, isFaint: false };
    if (smoothing === 0 || curve.isSparse) return [plain];
    return [
      { ...plain, isFaint: true },
      { curve, points: smoothed(points, smoothing), isFaint: false },
    ];
  });
}

// Zero has no place on a logarithmic axis.
function positive(points: readonly Point[]): Point[] {
  return points.map(({ x, y }) => ({ x, y: y !== null && y > 0 ? y : null }));
}

export function dataOf(lines: readonly Line[]): [number[], ...Column[]] {
  return aligned(lines.map(({ points }) => points));
}

/** The same only for drawings that one plot can show one after the other. */
export function structureOf(chart: Chart, lines: readonly Line[], { axis, isLog }: Drawing): string {
  const names = lines.map(({ curve, isFaint }) => [curve.name, curve.worker, curve.isOverlay, isFaint]);
  return JSON.stringify([chart.id, names, axis, isLog && chart.mayBeLog]);
}

interface PlotOptions {
  readonly size: { readonly width: number; readonly height: number };
  readonly colour: (name: string) => string;
  readonly drawing: () => Drawing;
  readonly outages: () => readonly Outage[];
  readonly onHover: (index: number | null) => void;
  readonly onZoom: (range: Range) => void;
}

export function optionsOf(chart: Chart, lines: readonly Line[], given: PlotOptions): uPlot.Options {
  const { axis, isLog } = given.drawing();
  const log = isLog && chart.mayBeLog === true;
  return {
    ...given.size,
    legend: { show: false },
    padding: [20, 16, 0, 0],
    cursor: {
      sync: { key: "unlocked", setSeries: false, filters: { pub: isMove } },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
    },
    scales: {
      x: {
        time: false,
        range: () => [...(given.drawing().zoom ?? given.drawing().extent)] as [number, number],
      },
      y: log ? { distr: 3, range: logRange } : { range: (_plot, from, to) => rangeOf(chart, from, to) },
    },
    axes: [
      {
        ...axisStyle(given),
        values: (_plot, splits) => splits.map(axis === "batch" ? count : stopwatch),
        size: 28,
      },
      { ...axisStyle(given), values: (_plot, splits) => splits.map(tick), size: 46 },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, given))],
    hooks: {
      setCursor: [(plot) => given.onHover(plot.cursor.idx ?? null)],
      setSelect: [(plot) => zoomTo(plot, given)],
      draw: [(plot) => placeMarkers(plot, given.outages(), given.drawing())],
    },
  };
}

function tick(value: number | null): string {
  if (value === null) return "";
  if (Math.abs(value) >= 1000) return count(value);
  return value === 0 ? "0" : String(Number(value.toPrecision(6)));
}

function isMove(type: string): boolean {
  return type === "mousemove" || type === "mouseleave";
}

function axisStyle({ colour }: PlotOptions): uPlot.Axis {
  return {
    stroke: colour("--muted"),
    font: "11px system-ui, sans-serif",
    gap: 4,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
}

/** From digit to digit; whole decades would leave much of the chart empty. */
function logRange(_plot: uPlot, from: number | null, to: number | null): [number, number] {
  if (from === null || to === null) return [0.1, 1];
  const [small, large] = [10 ** Math.floor(Math.log10(from)), 10 ** Math.floor(Math.log10(to))];
  return [Math.floor(from / small) * small, (Math.floor(to / large) + 1) * large];
}

/** Room above and below, but not beyond what such numbers can be. */
function rangeOf({ range }: Chart, from: number | null, to: number | null): [number, number] {
  if (from === null || to === null) return [0, 1];
  const air = 0.06 * (to - from) || Math.abs(to) * 0.1 || 1;
  const [least, most] = range ?? [null, null];
  const low = least ?? from - air;
  const high = most === null ? to + air : Math.min(most + 0.04 * (most - low), to + air);
  return [low, Math.max(high, low + 1e-9)];
}

function seriesOf({ curve, isFaint }: Line, { colour }: PlotOptions): uPlot.Series {
  const stroke = colour(`--colour-${curve.worker === "test" ? "test" : placeOf(curve.worker)}`);
  return {
    stroke,
    width: isFaint || curve.isOverlay ? 1 : 1.6,
    alpha: isFaint ? 0.28 : curve.isOverlay ? 0.75 : 1,
    ...(curve.isOverlay ? { dash: [5, 4] } : {}),
    points: curve.isSparse
      ? { show: true, size: 5, fill: stroke, stroke }
      : { show: true, size: 3, fill: stroke, stroke, filter: lonePoints },
  };
}

/** 0 for the source, the layer's number else; beyond the palette colours come again. */
export function placeOf(worker: string): number {
  const layer = layerOf(worker);
  return layer === undefined ? 0 : ((layer - 1) % 8) + 1;
}

/** A point between two gaps has no line to be seen by. */
const lonePoints: uPlot.Series.Points.Filter = (plot, series) => {
  const column = plot.data[series]! as Column;
  const told = column.flatMap((value, index) => (value === undefined ? [] : [index]));
  const isGap = (index: number | undefined) => index === undefined || column[index] === null;
  return told.filter(
    (index, place) => column[index] !== null && isGap(told[place - 1]) && isGap(told[place + 1]),
  );
};

function zoomTo(plot: uPlot, { onZoom }: PlotOptions): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const range: Range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  onZoom(range);
}

/** x of a place in the life of the run. */
function xOf(place: Place, axis: Axis, startedAt: number): number {
  return axis === "batch" ? place.batch : (place.at - startedAt) / 1000;
}

/** Of a worker's name alone, and with what it was told. */
const LABEL_WIDTHS = [56, 100] as const;

/** Lines and shade for workers that were away, as elements above the plot: to be read by eyes, tests and pointers. */
function placeMarkers(plot: uPlot, outages: readonly Outage[], { axis }: Drawing): void {
  const layer = markerLayer(plot);
  const startedAt = Number(layer.dataset.startedAt ?? 0);
  const width = plot.over.clientWidth;
  let labelledTo = Number.NEGATIVE_INFINITY;
  const marks = outages.flatMap((outage) => {
    const left = plot.valToPos(xOf(outage.from, axis, startedAt), "x");
    const right = outage.to ? plot.valToPos(xOf(outage.to, axis, startedAt), "x") : width;
    if (right < 0 || left > width) return [];
    const isLabelled = left >= labelledTo && left >= 0;
    const labelWidth = LABEL_WIDTHS[isAbsence(outage) ? 0 : 1];
    if (isLabelled) labelledTo = left + labelWidth;
    const label = !isLabelled ? "none" : left + labelWidth > width ? "before" : "after";
    return [markOf(outage, Math.max(0, left), Math.min(width, right), label)];
  });
  layer.replaceChildren(...marks);
}

export function markerLayer(plot: uPlot): HTMLElement {
  const known = plot.over.querySelector<HTMLElement>(".marks");
  if (known) return known;
  const layer = document.createElement("div");
  layer.className = "marks";
  plot.over.append(layer);
  return layer;
}

function markOf(
  outage: Outage,
  left: number,
  right: number,
  label: "none" | "before" | "after",
): HTMLElement {
  const mark = document.createElement("div");
  mark.className = `mark-span mark-${outage.kind}${outage.to ? " mark-closed" : ""}`;
  mark.dataset.testid = "marker";
  mark.dataset.worker = outage.worker;
  mark.dataset.kind = outage.kind;
  mark.dataset.state = outage.to ? "back" : "away";
  mark.style.left = `${left}px`;
  mark.style.width = `${Math.max(2, right - left)}px`;
  if (label !== "none") {
    const name = document.createElement("span");
    const worker = spokenName(outage.worker);
    name.textContent = isAbsence(outage) ? worker : `${worker} ${outage.kind}`;
    if (label === "before") name.className = "mark-late";
    mark.append(name);
  }
  return mark;
}
