import { conditionOf, type Tone } from "../../shared/record/condition.ts";
import { testWords } from "../../shared/record/curves/judged.ts";
import type { WorkerView } from "../../shared/record/hub-api.ts";
import { figure, rate, stopwatch } from "../../shared/record/numbers.ts";
import { deathWords } from "../../shared/record/outages/recovery.ts";
import { type Paint, type Style, unpainted } from "../train/paint.ts";
import type { RunStatus } from "./run-status.ts";

const BAR = 20;

/** A run in a few lines: its workers from the source to the head, and what the signs mean. */
export function statusView(stand: RunStatus, now: number, paint: Paint = unpainted): string[] {
  const shapes = stand.workers.map(shapeWords);
  const deaths = deathWords(stand.workers);
  const [nameWidth, shapeWidth] = [widest(stand.workers.map(({ name }) => name)), widest(shapes)];
  return [
    heading(stand),
    ...stand.workers.map((worker, index) => {
      const { sign, style } = signOf(worker);
      const who = `${worker.name.padEnd(nameWidth)}  ${shapes[index]!.padEnd(shapeWidth)}`;
      return `${who}  ${paint(bar(sign, worker.batch, stand.batches), style)}  ${paint(words(worker, now), style)}`;
    }),
    ...(deaths === undefined ? [] : [deaths]),
    ...nodes(stand.workers, now),
    paint(legend(stand.workers), "dim"),
    ...(stand.hub === undefined ? [paint(origin(stand, now), "dim")] : [paint(`from ${stand.hub}`, "dim")]),
  ];
}

function heading({ run, state, method, batch, batches, test }: RunStatus): string {
  const result = test === undefined ? "" : `  test ${testWords(test)}`;
  return `run ${run}  ${method}  batch ${batch + 1}/${batches}${result}  (${state})`;
}

/** What the line begins with when it is read from files: there is no hub to ask. */
function origin({ newestAt, state }: RunStatus, now: number): string {
  const age = stopwatch((now - newestAt) / 1000);
  return state === "training"
    ? `from the files: no dashboard answers; the newest line is ${age} old`
    : `from the files; the newest line is ${age} old`;
}

interface Sign {
  readonly sign: string;
  readonly meaning: string;
  readonly style: Style;
}

const SIGNS: Readonly<Record<Tone, Sign>> = {
  absent: { sign: " ", meaning: "never heard of", style: "dim" },
  silent: { sign: "?", meaning: "unreachable", style: "doubtful" },
  dark: { sign: "_", meaning: "dead", style: "bad" },
  done: { sign: "-", meaning: "gone", style: "dim" },
  held: { sign: "=", meaning: "holding or paused", style: "doubtful" },
  idle: { sign: "~", meaning: "starting or waiting", style: "doubtful" },
  lit: { sign: "#", meaning: "at work", style: "good" },
};

function signOf(worker: WorkerView): Sign {
  return SIGNS[conditionOf(worker).tone];
}

function legend(workers: readonly WorkerView[]): string {
  const meanings = new Map(workers.map(signOf).map(({ sign, meaning }) => [sign, meaning]));
  meanings.delete(" ");
  return [...meanings].map(([sign, meaning]) => `${sign} ${meaning}`).join("  ");
}

function bar(sign: string, batch: number, batches: number): string {
  const full = Math.min(BAR, Math.round((BAR * (batch + 1)) / Math.max(1, batches)));
  return `${sign.repeat(Math.max(sign === "#" || sign === "-" ? 0 : 1, full))}`.padEnd(BAR, ".");
}

function words(worker: WorkerView, now: number): string {
  const { contact, why, since, batch, durable, store } = worker;
  const time = stopwatch((now - since) / 1000);
  const reason = why === undefined ? "" : ` (${why})`;
  const place = `batch ${batch < 0 ? "–" : batch}`;
  const saved =
    durable === undefined || durable < 0
      ? ""
      : `  saved ${durable}${store === undefined ? "" : ` in ${store}`}`;
  switch (contact) {
    case "absent":
      return "never heard of";
    case "unreachable":
      return `${place}  UNREACHABLE ${time}${reason}${saved}`;
    case "dead":
      return `${place}  DOWN ${time}${reason}${saved}`;
    case "gone":
      return `${place}  gone ${time}${reason}${figures(worker)}`;
    case "connected":
      return `${place}${stateWords(worker)}${figures(worker)}  up ${time}`;
  }
}

/** Where workers were placed, one a line: the worker that lived there last, and when that machine was last heard. */
function nodes(workers: readonly WorkerView[], now: number): string[] {
  const names = [...new Set(workers.flatMap(({ node }) => node ?? []))].sort();
  return names.map((name) => {
    const there = workers.filter(({ node }) => node === name);
    const heardAt = Math.max(0, ...there.map((worker) => worker.heardAt ?? 0));
    const age = heardAt === 0 ? "never heard" : `heard ${stopwatch((now - heardAt) / 1000)} ago`;
    return `on ${name}: ${there.map((worker) => worker.name).join(" ")}  (${age})`;
  });
}

function stateWords({ state, alarm }: WorkerView): string {
  const unusual = state === undefined || state === "training" ? "" : `  ${state.toUpperCase()}`;
  return `${unusual}${alarm === undefined ? "" : `  ALARM ${alarm}`}`;
}

function figures({
  inFlight,
  window,
  perSecond,
  loss,
  generatorError,
  cosine,
  staleness,
  contact,
}: WorkerView): string {
  return [
    contact === "connected" ? `  ${rate(perSecond)}/s` : "",
    inFlight === undefined || window === undefined ? "" : `  in flight ${inFlight}/${window}`,
    loss === undefined ? "" : `  loss ${figure(loss)}`,
    staleness === undefined ? "" : `  stale ${rate(staleness)}`,
    generatorError === undefined ? "" : `  gen-err ${figure(generatorError)}`,
    cosine === undefined ? "" : `  cos ${figure(cosine)}`,
  ].join("");
}

function shapeWords({ shape }: WorkerView): string {
  return shape === undefined ? "" : `${shape.inputs}>${shape.outputs} ${shape.what}`;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}
