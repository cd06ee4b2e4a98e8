import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { CHART_STYLE, type Curve, curveChart, escaped, type Shade } from "../../shared/record/curve-chart.ts";
import type { Segment } from "../../shared/record/lines.ts";
import { duration, measure, percent, rate, UNKNOWN } from "../../shared/record/numbers.ts";
import { batchAt, type Outage, outagesOf } from "../../shared/record/outages.ts";
import type { RunRecord } from "../../shared/record/run-record.ts";
import { batchesOf } from "../../shared/record/segments.ts";
import { pieces } from "../../shared/record/standing.ts";
import { layerName } from "../../shared/record/worker-name.ts";

const POINTS = 600;
const MOST_EVENTS = 500;

/** A page about a run that needs nothing else: no script, no network. `others` are drawn beside it. */
export function report(run: RunRecord, now: number, others: readonly RunRecord[] = []): string {
  const all = [run, ...others];
  const downs = outagesOf(run.events);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(run.id)}</title>`,
    '<meta name="viewport" content="width=device-width">',
    `<style>${CHART_STYLE}${PAGE_STYLE}</style></head><body>`,
    `<h1>${escaped(run.id)}</h1>`,
    table(["", ...all.map(({ id }) => id)], facts(all, now)),
    ...chartsOf(run, others, downs),
    others.length > 0 ? section("Differences of the configs", differences(all)) : "",
    section("Layers at the end", layers(run)),
    section("Absences", absences(downs)),
    section(`Events${run.events.length > MOST_EVENTS ? ` (the last ${MOST_EVENTS})` : ""}`, events(run)),
    section("Config", `<pre>${escaped(canonicalYaml(run.config))}</pre>`),
    "</body></html>\n",
  ].join("\n");
}

function facts(all: readonly RunRecord[], now: number): string[][] {
  const row = (name: string, of: (run: RunRecord) => string) => [name, ...all.map(of)];
  return [
    row("learning", ({ config }) => config.learning.method),
    row("state", (run) => run.state(now)),
    row("started", ({ startedAt }) => new Date(startedAt).toISOString()),
    row("batches", (run) => `${run.batch + 1} of ${run.config.run.batches}`),
    row("test accuracy", ({ test }) => percent(test && 1 - test.error)),
    row("test loss", ({ test }) => measure(test?.loss)),
    row("time", ({ seconds }) => duration(seconds)),
    row("batches/s", ({ batch, seconds }) => rate((batch + 1) / Math.max(1e-9, seconds))),
    row("absences", ({ events }) => String(outagesOf(events).length)),
    row("Node", ({ summary }) => summary?.versions.node ?? UNKNOWN),
  ];
}

function chartsOf(run: RunRecord, others: readonly RunRecord[], downs: readonly Outage[]): string[] {
  const shades = downs.map((down) => shadeOf(down, run));
  const batches = Math.max(...[run, ...others].map(({ config }) => config.run.batches));
  const beside = (of: (run: RunRecord) => Curve["pieces"]): Curve[] =>
    [run, ...others].map((each) => ({ name: each.id, pieces: of(each), isOther: each !== run }));
  const ofWorkers = (title: string, figure: (segment: Segment) => number | undefined) => {
    const curves = run.standing.workers.flatMap((name): Curve[] => {
      const drawn = curveOf(run, name, figure);
      return drawn.length > 0 ? [{ name, pieces: drawn }] : [];
    });
    return curves.length > 0 ? [curveChart({ title, curves, shades, batches })] : [];
  };
  return [
    curveChart({
      ...{ title: "training loss", shades, batches, isLog: true },
      curves: beside((each) => curveOf(each, each.head, ({ loss }) => loss)),
    }),
    curveChart({
      ...{ title: "accuracy on held-out data, %", shades, batches },
      curves: beside(({ standing }) => [
        standing.evaluations.map(({ batch, test }) => [batch, 100 * (1 - test.error)] as const),
      ]),
    }),
    ...ofWorkers("generator error (1: no better than guessing zero)", ({ generatorError }) => generatorError),
    ...ofWorkers("cosine between guess and target", ({ cosine }) => cosine),
    ...ofWorkers("staleness of targets, batches", ({ staleness }) => staleness),
    ...ofWorkers("batches a second", (each) =>
      each.spanMs > 0 ? (1000 * batchesOf(each)) / each.spanMs : undefined,
    ),
  ];
}

/** At the middle of each segment its figure, those without one left out; broken where nobody spoke of a batch. */
function curveOf(
  { standing }: RunRecord,
  worker: string,
  figure: (segment: Segment) => number | undefined,
): Curve["pieces"] {
  const drawn = pieces(standing.segments(worker, POINTS)).map((piece) =>
    piece.flatMap((segment) => {
      const value = figure(segment);
      return value === undefined ? [] : [[(segment.first + segment.last) / 2, value] as const];
    }),
  );
  return drawn.filter((piece) => piece.length > 0);
}

/** By how far the head had come; the worker's own batches stand still meanwhile. */
function shadeOf({ worker, from, to, why }: Outage, { standing, head, newestAt }: RunRecord): Shade {
  const segments = standing.segments(head);
  const name = `${worker} away ${to === undefined ? "to the end" : `for ${duration((to - from) / 1000)}`}: ${why}`;
  return { from: batchAt(segments, from), to: batchAt(segments, to ?? newestAt), name };
}

function layers({ summary }: RunRecord): string {
  if (summary === undefined) return "<p>The run has not finished: there is no summary yet.</p>";
  const rows = summary.layers.map(({ layer, applied, restarts, digest }) => [
    layerName(layer),
    applied.map(([first, last]) => `${first}–${last}`).join(", "),
    String(restarts),
    digest,
  ]);
  return table(["layer", "batches in its weights", "restarts", "SHA-256 of the weights"], rows, "code");
}

function absences(downs: readonly Outage[]): string {
  if (downs.length === 0) return "<p>None: every worker was there all the time.</p>";
  return table(
    ["worker", "from", "for", "why"],
    downs.map(({ worker, from, to, why }) => [
      worker,
      time(from),
      to === undefined ? "not back" : duration((to - from) / 1000),
      why,
    ]),
  );
}

function events({ events }: RunRecord): string {
  const rows = events
    .slice(-MOST_EVENTS)
    .map(({ at, worker, about, name, batch, text }) => [
      time(at),
      about === undefined ? worker : `${about} (said by ${worker})`,
      name,
      String(batch ?? ""),
      text,
    ]);
  return table(["time (UTC)", "worker", "event", "batch", ""], rows);
}

/** What the configs do not have in common, one value a row. */
function differences(all: readonly RunRecord[]): string {
  const flat = all.map(({ config }) => new Map(flatten(config, "")));
  const paths = [...new Set(flat.flatMap((each) => [...each.keys()]))];
  const rows = paths
    .map((path) => [path, ...flat.map((each) => each.get(path) ?? UNKNOWN)])
    .filter(([, ...values]) => new Set(values).size > 1);
  if (rows.length === 0) return "<p>None.</p>";
  return table(["", ...all.map(({ id }) => id)], rows);
}

function flatten(value: unknown, path: string): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, each]) => flatten(each, path === "" ? key : `${path}.${key}`));
}

function section(title: string, body: string): string {
  return `<h2>${escaped(title)}</h2>${body}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], style = ""): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const body = rows.map((row) => line(row, "td")).join("\n");
  return `<div class="wide"><table class="${style}">${line(head, "th")}\n${body}</table></div>`;
}

function time(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

const PAGE_STYLE = `
body{background:var(--page);color:var(--ink);font:15px/1.45 sans-serif;max-width:800px;margin:1.5em auto;padding:0 1em}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.5em 0 1.5em;font-size:13px}
th,td{text-align:left;vertical-align:top;padding:.2em .8em .2em 0;border-bottom:1px solid var(--rule)}
pre,.code td{font:12px/1.4 monospace;white-space:pre-wrap;overflow-wrap:anywhere}
`;
