/** A line chart as SVG. */
export interface SvgChart {
  readonly title: string;
  /** What runs along the axes; nothing is said where it is left out. */
  readonly x?: string;
  readonly y?: string;
  /** Powers of two apart, rather than steps. */
  readonly logX?: boolean;
  /** Powers of ten. */
  readonly logY?: boolean;
  readonly series: readonly Series[];
  readonly shades?: readonly Shade[];
  /** The end of an axis from 0 that several charts share. */
  readonly mostX?: number;
}

export interface Series {
  readonly name: string;
  /** Nothing is drawn to or from a null. What is not finite, or has no place on a logarithmic axis, is left out. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
  /** Of another run. */
  readonly isOther?: boolean;
}

/** A stretch of x, such as one in which a worker was away. */
export interface Shade {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

type Place = (value: number) => number;
type Drawn = readonly (readonly [x: number, y: number])[];

const [WIDTH, HEIGHT] = [760, 300];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 150, 40, 48];
const COLOURS = 8;
const LABEL_HEIGHT = 14;
const MOST_X_TICKS = 10;
/** A line of few points has a dot at each; a line of one could not be seen without. */
const MOST_DOTS = 60;

/** For a page whose style says the colours (`CHART_STYLE`). */
export function svgChart(chart: SvgChart): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">\n${inside(chart)}\n</svg>`;
}

/** To stand alone, on a light or a dark page. */
export function svgFile(chart: SvgChart): string {
  const style = `<style>${CHART_STYLE}</style><rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">`;
  return `${head}\n${style}\n${inside(chart)}\n</svg>\n`;
}

function inside(chart: SvgChart): string {
  const { title, x = "", y = "", logX = false, logY = false, shades = [] } = chart;
  const pieces = chart.series.map(({ points }) => piecesOf(points, logY));
  const all = pieces.flat(2);
  const yTicks = yTicksOf(
    logY,
    all.map(([, value]) => value),
  );
  const xs = [...new Set(all.map(([value]) => value))].toSorted((a, b) => a - b);
  const [low, high] =
    chart.mostX === undefined ? [xs[0] ?? 0, xs.at(-1) ?? 1] : [0, Math.max(1, chart.mostX)];
  const toX = scale(logX, [low, high], [LEFT, WIDTH - RIGHT]);
  const toY = scale(logY, [yTicks[0]!, yTicks.at(-1)!], [HEIGHT - BOTTOM, TOP]);
  const xTicks = chart.mostX === undefined ? thinned(xs) : thinned(ticksOf(false, [high]));
  return [
    text(LEFT, 18, title, "start", "title"),
    ...shades.map((shade) => shadeOf(shade, toX)),
    ...yTicks.map((tick) => rule(toY(tick)) + text(LEFT - 8, toY(tick) + 4, String(tick), "end")),
    ...xTicks
      .filter((tick) => tick <= high)
      .map((tick) => text(toX(tick), HEIGHT - BOTTOM + 18, String(tick), "middle")),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, "middle"),
    text(LEFT - 8, TOP - 10, y, "end"),
    ...seriesOf(chart.series, pieces, toX, toY),
  ].join("\n");
}

/** Unbroken pieces of what can be drawn. */
function piecesOf(points: Series["points"], isLog: boolean): Drawn[] {
  const pieces: [number, number][][] = [[]];
  for (const [x, y] of points) {
    if (y === null) pieces.push([]);
    else if (Number.isFinite(x) && Number.isFinite(y) && (!isLog || y > 0)) pieces.at(-1)!.push([x, y]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

function scale(isLog: boolean, [from, to]: readonly number[], [start, end]: readonly number[]): Place {
  const place = (value: number) => (isLog ? Math.log(value) : value);
  const span = place(to!) - place(from!) || 1;
  return (value) => start! + ((place(value) - place(from!)) / span) * (end! - start!);
}

function yTicksOf(isLog: boolean, values: readonly number[]): number[] {
  const below = Math.max(0, ...values.map((value) => -value));
  if (isLog || below === 0) return ticksOf(isLog, values);
  const under = ticksOf(false, [below]).map((tick) => -tick);
  return [...new Set([...under, ...ticksOf(false, values)])]
    .map((tick) => tick + 0)
    .toSorted((a, b) => a - b);
}

/** From zero in steps of 1, 2 or 5 times a power of ten; or powers of ten that hold all values. */
export function ticksOf(isLog: boolean, values: readonly number[]): number[] {
  if (values.length === 0) return isLog ? [0.1, 1] : [0, 1];
  const most = Math.max(...values, Number.MIN_VALUE);
  if (isLog) {
    const first = Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0), most)));
    const last = Math.max(first + 1, Math.ceil(Math.log10(most)));
    return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  }
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * (1 - 1e-9))!;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  );
}

/** Every n-th, so that their numbers do not run into each other. */
function thinned(xs: readonly number[]): number[] {
  const every = Math.ceil(xs.length / MOST_X_TICKS);
  return xs.filter((_, index) => index % every === 0);
}

function seriesOf(series: readonly Series[], pieces: readonly Drawn[][], toX: Place, toY: Place): string[] {
  const drawn = pieces.map((each) => each.map((piece) => piece.map(([x, y]) => [toX(x), toY(y)] as const)));
  const labels = spread(drawn.map((each) => each.at(-1)?.at(-1)?.[1] ?? TOP));
  return series.map(({ name, isOther = false }, index) => {
    const style = `c${index % COLOURS}${isOther ? " other" : ""}`;
    const [x] = drawn[index]!.at(-1)?.at(-1) ?? [LEFT];
    return [
      ...drawn[index]!.map((piece) => `<g class="${style}">${line(piece)}</g>`),
      `<g class="${style}">${text(x + 8, labels[index]! + 4, name, "start", "name")}</g>`,
    ].join("");
  });
}

/** Heights of labels in the order of their lines, pushed apart where they would cover each other. */
function spread(heights: readonly number[]): number[] {
  const order = heights.map((_, index) => index).toSorted((a, b) => heights[a]! - heights[b]!);
  const placed = [...heights];
  let least = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    placed[index] = Math.max(placed[index]!, least);
    least = placed[index]! + LABEL_HEIGHT;
  }
  let most = HEIGHT - BOTTOM;
  for (const index of order.toReversed()) {
    placed[index] = Math.min(placed[index]!, most);
    most = placed[index]! - LABEL_HEIGHT;
  }
  return placed;
}

function line(points: Drawn): string {
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const dot = ([x, y]: Drawn[number]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5"/>`;
  return `<polyline points="${path}"/>${points.length <= MOST_DOTS ? points.map(dot).join("") : ""}`;
}

function shadeOf({ from, to, name }: Shade, toX: Place): string {
  const [x, width] = [toX(from), Math.max(1.5, toX(to) - toX(from))];
  const place = `x="${x.toFixed(1)}" y="${TOP}" width="${width.toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}"`;
  const ends = `x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"`;
  return `<g class="down"><title>${escaped(name)}</title><rect ${place}/><line class="kill" ${ends}/></g>`;
}

function rule(y: number): string {
  return `<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
}

function text(x: number, y: number, words: string, anchor: string, style = ""): string {
  if (words === "") return "";
  const named = style === "" ? "" : ` class="${style}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${named}>${escaped(words)}</text>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "#39",
};

/** For text and attributes of HTML and SVG. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&${ENTITIES[sign]};`);
}

const [LIGHT, DARK] = [
  ["#1d4ed8", "#b91c1c", "#047857", "#b45309", "#6d28d9", "#0e7490", "#be185d", "#3f6212"],
  ["#60a5fa", "#f87171", "#34d399", "#fbbf24", "#a78bfa", "#22d3ee", "#f472b6", "#a3e635"],
] as const;

function palette(colours: readonly string[]): string {
  return colours.map((colour, index) => `--c${index}:${colour};`).join("");
}

export const CHART_STYLE = `
:root{color-scheme:light dark;--ink:#1f2937;--soft:#6b7280;--page:#fff;--rule:#e5e7eb;--down:#fecaca;${palette(LIGHT)}}
@media (prefers-color-scheme:dark){:root{--ink:#e5e7eb;--soft:#9ca3af;--page:#111827;--rule:#374151;--down:#7f1d1d;${palette(DARK)}}}
svg{width:100%;height:auto;font:12px sans-serif}
svg text{fill:var(--soft)}svg text.title{fill:var(--ink);font-size:14px}.page{fill:var(--page)}
.rule{stroke:var(--rule)}.down rect{fill:var(--down);opacity:.5}.kill{stroke:var(--c1);stroke-dasharray:3 2}
polyline{fill:none;stroke-width:1.6}.other polyline{stroke-dasharray:5 3}
${LIGHT.map((_, n) => `.c${n} polyline{stroke:var(--c${n})}.c${n} circle,.c${n} text.name{fill:var(--c${n})}`).join("\n")}
`;
