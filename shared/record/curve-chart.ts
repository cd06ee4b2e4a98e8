import { ticksOf } from "./svg.ts";

export interface Curve {
  readonly name: string;
  /** Unbroken pieces of [batch, value]; a gap is a gap. */
  readonly pieces: readonly (readonly (readonly [number, number])[])[];
  /** Of another run. */
  readonly isOther?: boolean;
}

/** A time in which a worker was away, in batches. */
export interface Shade {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

export interface CurveChart {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly shades: readonly Shade[];
  /** Of the axis that all charts share. */
  readonly batches: number;
  readonly isLog?: boolean;
}

const [WIDTH, HEIGHT] = [760, 240];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 12, 30, 34];
const COLOURS = 8;
const X_TICKS = 5;

/** As SVG for a page whose style says the colours (`CHART_STYLE`). Points without a finite number are left out. */
export function curveChart({ title, curves, shades, batches, isLog = false }: CurveChart): string {
  const values = curves.flatMap(({ pieces }) => pieces.flatMap((piece) => piece.map(([, y]) => y)));
  const drawn = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const [low, high] = boundsOf(drawn, isLog);
  const toX = (batch: number) => LEFT + (batch / Math.max(1, batches)) * (WIDTH - LEFT - RIGHT);
  const place = (value: number) => (isLog ? Math.log10(value) : value);
  const share = (value: number) => (place(value) - place(low)) / (place(high) - place(low) || 1);
  const toY = (value: number) => HEIGHT - BOTTOM - share(value) * (HEIGHT - TOP - BOTTOM);
  const ticks = isLog ? ticksOf(true, [low, high]) : linearTicks(low, high);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    text(LEFT, 18, title, "start", "title"),
    ...shades.map((shade) => shadeOf(shade, toX)),
    ...ticks.map((y) => rule(toY(y)) + text(LEFT - 6, toY(y) + 4, String(y), "end")),
    ...batchTicks(batches).map((x) => text(toX(x), HEIGHT - 12, String(x), "middle")),
    ...curves.map((curve, index) => curveOf(curve, index, toX, toY, isLog)),
    "</svg>",
    legend(curves),
  ].join("\n");
}

function boundsOf(values: readonly number[], isLog: boolean): readonly [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > high) return isLog ? [0.1, 1] : [0, 1];
  if (isLog) return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high) + 1e-9)];
  const ticks = ticksOf(false, [Math.max(high, 0)]);
  return [Math.min(0, low), Math.max(high, ticks.at(-1)!)];
}

function linearTicks(low: number, high: number): number[] {
  const above = ticksOf(false, [high]);
  const below = low < 0 ? ticksOf(false, [-low]).map((tick) => -tick) : [];
  return [...new Set([...below, ...above])].filter((tick) => tick >= low && tick <= high);
}

function batchTicks(batches: number): number[] {
  const step = ticksOf(false, [batches])[1] ?? 1;
  const all = Array.from({ length: Math.floor(batches / step) + 1 }, (_, index) => index * step);
  return all.length > 2 * X_TICKS ? all.filter((_, index) => index % 2 === 0) : all;
}

function curveOf(
  { pieces, isOther }: Curve,
  index: number,
  toX: (batch: number) => number,
  toY: (value: number) => number,
  isLog: boolean,
): string {
  const style = `c${index % COLOURS}${isOther ? " other" : ""}`;
  return pieces
    .map((piece) => piece.filter(([, y]) => Number.isFinite(y) && (!isLog || y > 0)))
    .filter((piece) => piece.length > 0)
    .map((piece) => {
      const places = piece.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`);
      // A line of one point could not be seen.
      const dots = piece.length <= 60 ? piece.map(([x, y]) => dot(toX(x), toY(y))).join("") : "";
      return `<g class="${style}"><polyline points="${places.join(" ")}"/>${dots}</g>`;
    })
    .join("");
}

function dot(x: number, y: number): string {
  return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2"/>`;
}

function shadeOf({ from, to, name }: Shade, toX: (batch: number) => number): string {
  const [x, width] = [toX(from), Math.max(1.5, toX(to) - toX(from))];
  const place = `x="${x.toFixed(1)}" y="${TOP}" width="${width.toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}"`;
  const edge = `<line class="kill" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`;
  return `<g class="down"><title>${escaped(name)}</title><rect ${place}/>${edge}</g>`;
}

function rule(y: number): string {
  return `<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
}

function text(x: number, y: number, words: string, anchor: string, style = ""): string {
  const named = style === "" ? "" : ` class="${style}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${named}>${escaped(words)}</text>`;
}

function legend(curves: readonly Curve[]): string {
  const names = curves.map(({ name, isOther }, index) => {
    return `<span class="c${index % COLOURS}${isOther ? " other" : ""}"><i></i>${escaped(name)}</span>`;
  });
  return `<p class="legend">${names.join(" ")}</p>`;
}

/** For text and attributes of HTML and SVG. */
export function escaped(text: string): string {
  const names: Readonly<{ [sign: string]: string }> = {
    "&": "amp",
    "<": "lt",
    ">": "gt",
    '"': "quot",
    "'": "#39",
  };
  return text.replace(/[&<>"']/g, (sign) => `&${names[sign]};`);
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
svg text{fill:var(--soft)}svg text.title{fill:var(--ink);font-size:14px}
.rule{stroke:var(--rule)}.down rect{fill:var(--down);opacity:.5}.kill{stroke:var(--c1);stroke-dasharray:3 2}
polyline{fill:none;stroke-width:1.6}.other polyline{stroke-dasharray:5 3}
.legend{margin:0 0 1.5em}.legend span{margin-right:1em;white-space:nowrap}
.legend i{display:inline-block;width:1em;height:.25em;margin-right:.4em;vertical-align:middle}
${LIGHT.map((_, n) => `.c${n} polyline{stroke:var(--c${n})}.c${n} circle{fill:var(--c${n})}.c${n} i{background:var(--c${n})}`).join("\n")}
`;
