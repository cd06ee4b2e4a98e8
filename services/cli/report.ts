import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { differences } from "../../shared/record/config-difference.ts";
import { type Chart, chartsOf, type Point, type Recorded } from "../../shared/record/curves/curves.ts";
import { judgementTables, testWords } from "../../shared/record/curves/judged.ts";
import {
  CHART_STYLE,
  escaped,
  type Series,
  type Shade,
  svgChart,
} from "../../shared/record/curves/svg-chart.ts";
import { figure, rate, stopwatch, UNKNOWN } from "../../shared/record/numbers.ts";
import { batchAt, isAbsence, type Outage, outagesOf } from "../../shared/record/outages/outages.ts";
import type { RunRecord } from "../../shared/record/run-record.ts";
import { labelNames } from "../../shared/record/run-view.ts";
import { textLoss } from "../../shared/record/text-loss.ts";
import { layerName } from "../../shared/record/worker-name.ts";
import type { TestResult } from "../../shared/wire/frames.ts";

const POINTS = 600;
const MOST_EVENTS = 500;

/** A page about a run that needs nothing else: no script, no network. `others` are drawn beside it. */
export function report(run: RunRecord, now: number, others: readonly RunRecord[] = []): string {
  const all = [run, ...others];
  const downs = outagesOf(run.events, run.standing);
  const away = downs.filter(isAbsence);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(run.id)}</title>`,
    '<meta name="viewport" content="width=device-width">',
    `<style>${CHART_STYLE}${PAGE_STYLE}</style></head><body>`,
    `<h1>${escaped(run.id)}</h1>`,
    table(["", ...all.map(({ id }) => id)], facts(all, now)),
    ...drawn(run, others, downs),
    run.test ? section("Last test", judged(run, run.test)) : "",
    others.length > 0 ? section("Differences of the configs", differenceTable(all)) : "",
    section("Layers at the end", layers(run)),
    section("Absences", absences(away)),
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
    row("test", ({ test }) => (test ? testWords(test) : UNKNOWN)),
    row("test loss", ({ test }) => figure(test?.loss)),
    ...textFacts(all),
    row("time", ({ seconds }) => stopwatch(seconds)),
    row("batches/s", ({ batch, seconds }) => rate((batch + 1) / Math.max(1e-9, seconds))),
    row("deaths", ({ deaths }) => deaths ?? UNKNOWN),
    row("absences", ({ events, standing }) => String(outagesOf(events, standing).filter(isAbsence).length)),
    row("Node", ({ summary }) => summary?.versions.node ?? UNKNOWN),
  ];
}

/** Nothing unless one of them learns a text. */
function textFacts(all: readonly RunRecord[]): string[][] {
  const texts = all.map(({ config, test }) => textLoss(config, test?.loss));
  if (texts.every((text) => text === undefined)) return [];
  return [
    ["perplexity", ...texts.map((text) => figure(text?.perplexity))],
    ["bits", ...texts.map((text) => (text ? `${figure(text.bits)} a ${text.unit}` : UNKNOWN))],
  ];
}

/** All of the run; of others what they came to. */
function drawn(run: RunRecord, others: readonly RunRecord[], downs: readonly Outage[]): string[] {
  const mostX = Math.max(...[run, ...others].map(({ config }) => config.run.batches));
  const shades = downs.map((down) => shadeOf(down, run));
  const beside = others.map((other) => ({ id: other.id, charts: chartsOf(thinnedOf(other), "batch") }));
  return chartsOf(thinnedOf(run), "batch").flatMap(({ id, title, unit, curves, mayBeLog = false }) => {
    const series = curves.map(({ name, points }): Series => ({ name, points: points.map(pair) }));
    if (id === "loss" || id === "accuracy") series.push(...beside.flatMap((each) => seriesOf(each, id)));
    if (series.length === 0 && id !== "loss" && id !== "accuracy") return [];
    return [svgChart({ title: `${title}: ${unit}`, x: "batch", logY: mayBeLog, series, shades, mostX })];
  });
}

function thinnedOf({ standing, startedAt }: RunRecord): Recorded {
  return { record: standing, startedAt, points: POINTS };
}

function seriesOf(other: { readonly id: string; readonly charts: readonly Chart[] }, id: string): Series[] {
  const curves = other.charts.find((chart) => chart.id === id)?.curves ?? [];
  return curves.map(({ name, points }) => {
    return { name: `${name}, ${other.id}`, points: points.map(pair), isOther: true };
  });
}

function pair({ x, y }: Point): readonly [number, number | null] {
  return [x, y];
}

function shadeOf({ worker, kind, from, to, text }: Outage, { standing, newestAt }: RunRecord): Shade {
  const time = to === undefined ? "to the end" : `for ${stopwatch((to.at - from.at) / 1000)}`;
  const end = to?.batch ?? batchAt(standing, newestAt);
  const how = kind === "paused" || kind === "delayed" ? kind : "away";
  return { from: from.batch, to: end, name: `${worker} ${how} ${time}: ${text}` };
}

function judged({ config }: RunRecord, test: TestResult): string {
  const tables = judgementTables(test, labelNames(config)).map(([head, ...rows]) => table(head!, rows));
  return tables.join("\n") || `<p>${escaped(testWords(test))}</p>`;
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
    downs.map(({ worker, from, to, text }) => [
      worker,
      time(from.at),
      to === undefined ? "not back" : stopwatch((to.at - from.at) / 1000),
      text,
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

function differenceTable(all: readonly RunRecord[]): string {
  const rows = differences(all.map(({ config }) => config)).map(({ path, values }) => [path, ...values]);
  return rows.length === 0 ? "<p>None.</p>" : table(["", ...all.map(({ id }) => id)], rows);
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
