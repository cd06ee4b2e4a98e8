import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { type Chart, titleOf } from "../../../shared/record/curves/curves.ts";
import { count, figure, stopwatch } from "../../../shared/record/numbers.ts";
import type { Outage } from "../../../shared/record/outages/outages.ts";
import { type Column, chartCsv, valueAt } from "./curves.ts";
import { download, pictureOf } from "./picture.ts";
import {
  type Drawing,
  dataOf,
  linesOf,
  markerLayer,
  optionsOf,
  placeOf,
  type Range,
  structureOf,
} from "./plot.ts";

interface Props {
  readonly chart: Chart;
  readonly drawing: Drawing;
  readonly outages: readonly Outage[];
  readonly startedAt: number;
  /** Changes when colours do. */
  readonly theme: string;
  readonly file: string;
  readonly onZoom: (range: Range | undefined) => void;
}

const HEIGHT = 208;

export function ChartCard(props: Props) {
  const { chart, drawing } = props;
  const [hover, setHover] = useState<number | null>(null);
  const { frame, plot, lines, data } = usePlot(props, setHover);
  const [xs, ...columns] = data;
  const shown = lines.flatMap((line, index) => (line.isFaint ? [] : [{ ...line, column: columns[index]! }]));
  const readings = shown.map(({ curve, column }) => ({ curve, value: valueAt(xs, column, hover) }));
  // Of many curves the other run's are told by their dashes alone.
  const isShort = readings.filter(({ curve }) => curve.isOverlay).length <= 2;
  const listed = readings.filter(({ curve }) => isShort || !curve.isOverlay);
  return (
    <figure class="chart" data-testid="chart" data-chart={chart.id}>
      <Caption
        chart={chart}
        place={hover === null ? undefined : placeWords(xs[hover], drawing)}
        onCsv={() => saveCsv(props)}
        onPng={() => plot.current && savePicture(props, plot.current)}
      />
      <div
        class="plot"
        ref={frame}
        role="img"
        aria-label={describe(chart, columns, xs)}
        onDblClick={() => props.onZoom(undefined)}
      />
      {chart.curves.length === 0 && <p class="empty">nothing told yet</p>}
      <ul class="legend">
        {listed.map(({ curve, value }) => (
          <li key={`${curve.name}${curve.isOverlay}`}>
            <span
              class={`key colour-${keyOf(curve.worker)}${curve.isOverlay ? " dashed" : ""}`}
              aria-hidden="true"
            />
            {titleOf(curve)} <b>{figure(value)}</b>
          </li>
        ))}
        {!isShort && <li>dashed: the other run</li>}
      </ul>
    </figure>
  );
}

/** A plot in `frame`, made anew where another one is needed, and drawn with what is known now. */
function usePlot(props: Props, onHover: (index: number | null) => void) {
  const { chart, drawing, theme } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const lines = linesOf(chart, drawing);
  const data = dataOf(lines);
  const structure = structureOf(chart, lines, drawing);

  useLayoutEffect(() => {
    const made = makePlot(frame.current!, latest, lines, data, onHover);
    plot.current = made;
    const observer = new ResizeObserver(([entry]) =>
      made.setSize({ width: entry!.contentRect.width, height: HEIGHT }),
    );
    observer.observe(frame.current!);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [structure, theme]);

  useEffect(() => {
    if (!plot.current) return;
    markerLayer(plot.current).dataset.startedAt = String(props.startedAt);
    plot.current.setData(data as uPlot.AlignedData);
  });
  return { frame, plot, lines, data };
}

interface CaptionProps {
  readonly chart: Chart;
  readonly place: string | undefined;
  readonly onCsv: () => void;
  readonly onPng: () => void;
}

function Caption({ chart: { title, unit }, place, onCsv, onPng }: CaptionProps) {
  return (
    <figcaption>
      <h3>{title}</h3>
      <span class="unit">{place ?? unit}</span>
      <span class="exports">
        <button type="button" class="quiet" onClick={onCsv} aria-label={`Download ${title} as CSV`}>
          CSV
        </button>
        <button type="button" class="quiet" onClick={onPng} aria-label={`Download ${title} as PNG`}>
          PNG
        </button>
      </span>
    </figcaption>
  );
}

function makePlot(
  frame: HTMLElement,
  latest: { readonly current: Props },
  lines: ReturnType<typeof linesOf>,
  data: [number[], ...Column[]],
  onHover: (index: number | null) => void,
): uPlot {
  const options = optionsOf(latest.current.chart, lines, {
    size: { width: frame.clientWidth, height: HEIGHT },
    colour: colourOf,
    drawing: () => latest.current.drawing,
    outages: () => latest.current.outages,
    onHover,
    onZoom: (range) => latest.current.onZoom(range),
  });
  return new uPlot(options, data as uPlot.AlignedData, frame);
}

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function keyOf(worker: string): string {
  return worker === "test" ? "test" : String(placeOf(worker));
}

function placeWords(x: number | undefined, { axis }: Drawing): string | undefined {
  if (x === undefined) return undefined;
  return axis === "batch" ? `batch ${count(x)}` : `after ${stopwatch(x)}`;
}

function describe(chart: Chart, columns: readonly Column[], xs: readonly number[]): string {
  if (chart.curves.length === 0) return `${chart.title}: nothing told yet`;
  const last = chart.curves.map(
    (curve) => `${titleOf(curve)} ${figure(curve.points.findLast(({ y }) => y !== null)?.y ?? undefined)}`,
  );
  return `${chart.title}, ${chart.unit}: ${columns.length === 0 || xs.length === 0 ? "" : last.join(", ")}`;
}

function saveCsv({ chart, drawing, file }: Props): void {
  download(`${file}-${chart.id}.csv`, new Blob([chartCsv(chart, drawing.axis)], { type: "text/csv" }));
}

function savePicture({ chart, file }: Props, plot: uPlot): void {
  const strokes = chart.curves.map(({ worker }) => colourOf(`--colour-${keyOf(worker)}`));
  pictureOf(chart, plot, colourOf, strokes).toBlob(
    (blob) => blob && download(`${file}-${chart.id}.png`, blob),
  );
}
