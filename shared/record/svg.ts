export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Powers of two apart, rather than steps. */
  readonly logX?: boolean;
  /** Powers of ten. */
  readonly logY?: boolean;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

const [WIDTH, HEIGHT] = [640, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 150, 40, 48];
const COLOURS = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f"];
const LABEL_HEIGHT = 14;
const MOST_X_TICKS = 10;

/** A line chart as SVG, readable on a light and a dark page. Points without a finite number are left out. */
export function lines(chart: Chart): string {
  const points = chart.series.flatMap((each) => each.points).filter(isDrawn);
  const xs = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const toX = scale(chart.logX === true, [xs[0] ?? 0, xs.at(-1) ?? 1], [LEFT, WIDTH - RIGHT]);
  const ticks = ticksOf(
    chart.logY === true,
    points.map(([, y]) => y),
  );
  const toY = scale(chart.logY === true, [ticks[0]!, ticks.at(-1)!], [HEIGHT - BOTTOM, TOP]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 22, chart.title, "middle", 'font-size="14"'),
    ...ticks.map((y) => rule(toY(y)) + text(LEFT - 8, toY(y) + 4, String(y), "end")),
    ...thinned(xs).map((x) => text(toX(x), HEIGHT - BOTTOM + 18, String(x), "middle")),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, chart.x, "middle"),
    text(LEFT - 8, TOP - 10, chart.y, "end"),
    ...drawSeries(chart.series, toX, toY),
    "</svg>",
    "",
  ].join("\n");
}

function isDrawn([x, y]: readonly [number, number]): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

function scale(isLog: boolean, [from, to]: readonly number[], [start, end]: readonly number[]) {
  const place = (value: number) => (isLog ? Math.log(value) : value);
  const span = place(to!) - place(from!) || 1;
  return (value: number) => start! + ((place(value) - place(from!)) / span) * (end! - start!);
}

/** From zero in steps of 1, 2 or 5 times a power of ten; or powers of ten that hold all values. */
export function ticksOf(isLog: boolean, values: readonly number[]): number[] {
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

type Place = (value: number) => number;

function drawSeries(series: Chart["series"], toX: Place, toY: Place): string[] {
  const drawn = series.map(({ name, points }, index) => ({
    name,
    colour: COLOURS[index % COLOURS.length]!,
    points: points.filter(isDrawn).map(([x, y]) => [toX(x), toY(y)] as const),
  }));
  const labels = spread(drawn.map(({ points }) => points.at(-1)?.[1] ?? TOP));
  return drawn.map(({ name, colour, points }, index) => {
    const x = points.at(-1)?.[0] ?? LEFT;
    return line(points, colour) + text(x + 8, labels[index]! + 4, name, "start", `fill="${colour}"`);
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

function line(points: readonly (readonly [number, number])[], colour: string): string {
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const dots = points.map(
    ([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}`;
}

function rule(y: number): string {
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#d4d4d4"/>`;
}

function text(x: number, y: number, words: string, anchor: string, more = ""): string {
  const safe = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${more}>${safe}</text>`;
}
