import { type SvgChart, svgFile } from "../../shared/record/curves/svg-chart.ts";
import { UNKNOWN } from "../../shared/record/numbers.ts";
import { type TextLoss, textLossOf } from "../../shared/record/text-loss.ts";
import type { Evaluation, Health, System, Trial } from "./trial.ts";

/** What a comparison found. Its JSON is this, and all else is made from it. */
export interface Comparison {
  readonly name: string;
  /** How to get it again. */
  readonly command: string;
  /** ISO, UTC. */
  readonly date: string;
  readonly versions: readonly string[];
  readonly data: string;
  readonly judged: "class" | "bits" | "values";
  /** Of sequences the loss says more than the share of positions right: it is in the table. */
  readonly isSequence?: boolean;
  /** What is predicted, where the data are a text: its loss is also told as perplexity and bits. */
  readonly text?: TextLoss["unit"];
  /** Share of held-out examples right (for bits: with every bit right) that counts as learnt. */
  readonly bar: number;
  /** In one process, or every layer its own. */
  readonly manner: "in process" | "services";
  readonly systems: readonly System[];
}

type Table = readonly (readonly string[])[];

/** Share of examples with nothing wrong. */
export function rightOf({ test }: Evaluation): number {
  return test.exact ?? 1 - test.error;
}

/** Batches until the first evaluation at or above the bar; undefined if there was none. */
export function batchesToBar({ curve }: Trial, bar: number): number | undefined {
  return curve.find((evaluation) => rightOf(evaluation) >= bar)?.batch;
}

/** Header and a row for each system. */
export function tableOf(comparison: Comparison): Table {
  const { systems, judged, bar, isSequence, text } = comparison;
  const hasTraining = systems.some(({ trials }) => trials.some(({ training }) => training));
  const right = judged === "bits" ? ["bits right, %", "exact sums, %"] : ["error, %"];
  const header = [
    "system",
    ...(isSequence ? ["loss, nats a position"] : []),
    ...(text ? ["perplexity", `bits a ${text}`] : []),
    ...right,
    ...(hasTraining ? ["of the training examples, %"] : []),
    "worst, best seed",
    "batches",
    `to ${percent(bar, 1)} %`,
    "wall clock, s",
    "generator error",
    "cosine",
    ...(isProbed(comparison) ? ["to the true gradient: error", "cosine to it"] : []),
  ];
  return [header, ...systems.map((system) => rowOf(system, comparison, hasTraining))];
}

function isProbed({ systems }: Comparison): boolean {
  return systems.some(({ trials }) => trials.some(({ truth }) => truth));
}

function rowOf({ name, batches, trials }: System, comparison: Comparison, hasTraining: boolean): string[] {
  const { judged, bar, isSequence, text } = comparison;
  const guesses = trials.flatMap(({ health }) => health);
  const truth = trials.flatMap((trial) => trial.truth ?? []);
  const last = trials.map(({ curve }) => curve.at(-1)!);
  const right = last.map(rightOf);
  const losses = last.map(({ test }) => test.loss);
  const shown = judged === "bits" ? right : right.map((share) => 1 - share);
  const figures = judged === "bits" ? [last.map(({ test }) => 1 - test.error), right] : [shown];
  const training = trials.map(({ training }) =>
    training ? (training.exact ?? 1 - training.error) : Number.NaN,
  );
  return [
    name,
    ...(isSequence ? [spreadOf(losses, 3)] : []),
    ...(text ? textCells(losses.map((nats) => textLossOf(text, nats))) : []),
    ...figures.map((shares) => spread(shares)),
    ...(hasTraining ? [spread(training)] : []),
    `${percent(shown.at(worst(right))!)}, ${percent(shown.at(best(right))!)}`,
    batches.toLocaleString("en-US"),
    reached(trials, bar),
    mean(trials.map(({ wallSeconds }) => wallSeconds)).toFixed(1),
    ofLayers(guesses, ({ error }) => error),
    ofLayers(guesses, ({ cosine }) => cosine),
    ...(isProbed(comparison)
      ? [ofLayers(truth, ({ error }) => error), ofLayers(truth, ({ cosine }) => cosine)]
      : []),
  ].map((cell, index) => (index === 1 ? cell + divergences(trials) : cell));
}

function textCells(found: readonly TextLoss[]): string[] {
  const perplexities = found.map(({ perplexity }) => perplexity);
  const bits = found.map(({ bits }) => bits);
  return [spreadOf(perplexities, 2), spreadOf(bits, 3)];
}

function divergences(trials: readonly Trial[]): string {
  const count = trials.filter(({ divergedAt }) => divergedAt !== undefined).length;
  return count === 0 ? "" : ` (${count} of ${trials.length} ran away)`;
}

function worst(shares: readonly number[]): number {
  return shares.indexOf(Math.min(...shares));
}

function best(shares: readonly number[]): number {
  return shares.indexOf(Math.max(...shares));
}

/** "1,200", or with how many of the seeds got there. */
function reached(trials: readonly Trial[], bar: number): string {
  const found = trials.map((trial) => batchesToBar(trial, bar)).filter((batches) => batches !== undefined);
  if (found.length === 0) return "never";
  const batches = Math.round(mean(found)).toLocaleString("en-US");
  return found.length === trials.length ? batches : `${batches} (${found.length} of ${trials.length})`;
}

/** "0.41 / 0.52": a figure of each hidden layer, mean over the seeds. */
function ofLayers(found: readonly Health[], figure: (health: Health) => number | undefined): string {
  const layers = [...new Set(found.map(({ layer }) => layer))];
  const means = layers.map((layer) => {
    const figures = found.filter((each) => each.layer === layer).map(figure);
    const known = figures.filter((value) => value !== undefined);
    return known.length === 0 ? UNKNOWN : mean(known).toFixed(2);
  });
  return means.length === 0 || means.every((each) => each === UNKNOWN) ? UNKNOWN : means.join(" / ");
}

/** "98.31 ± 0.12"; the standard deviation of the sample, where there are several. */
function spread(shares: readonly number[]): string {
  if (shares.length < 2) return percent(mean(shares));
  return `${percent(mean(shares))} ± ${percent(deviation(shares))}`;
}

/** "1.903 ± 0.011", as `spread`, of what is no share. */
function spreadOf(values: readonly number[], digits: number): string {
  const middle = mean(values).toFixed(digits);
  return values.length < 2 ? middle : `${middle} ± ${deviation(values).toFixed(digits)}`;
}

function percent(share: number, digits = 2): string {
  return Number.isFinite(share) ? (100 * share).toFixed(digits) : UNKNOWN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** For a terminal: columns side by side. */
export function renderPlain(comparison: Comparison): string {
  const table = tableOf(comparison);
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `plot`: where its SVG is, from the page. */
export function renderMarkdown(comparison: Comparison, plot: string): string {
  const { name, command, date, versions, data, manner, systems } = comparison;
  const [header, ...rows] = tableOf(comparison);
  const rule = header!.map((_, index) => (index === 0 ? "---" : "--:"));
  const table = [header!, rule, ...rows].map(
    (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  const seeds = systems[0]!.trials.map(({ seed }) => seed).join(", ");
  return [
    `\`${command}\``,
    `${data}, ${manner}; seeds ${seeds}; mean ± standard deviation. ${date.slice(0, 10)}, ${versions.join(", ")}.`,
    table.join("\n"),
    `![${name}: held-out accuracy by batch](${plot})`,
  ].join("\n\n");
}

/** Held-out accuracy by batch, mean over the seeds, a line for each system. */
function chartOf({ name, judged, systems }: Comparison): SvgChart {
  return {
    title: name,
    x: "batches",
    y: judged === "bits" ? "exact sums, held out, %" : "test error, %",
    logY: judged === "class",
    series: systems.map((system) => ({ name: system.name, points: meanCurve(system, judged) })),
  };
}

export function renderSvg(comparison: Comparison): string {
  return svgFile(chartOf(comparison));
}

/** Only where every seed was evaluated: a mean of those that are left would flatter. */
function meanCurve({ trials }: System, judged: Comparison["judged"]): [number, number][] {
  return trials[0]!.curve.flatMap(({ batch }) => {
    const found = trials.map(({ curve }) => curve.find((evaluation) => evaluation.batch === batch));
    if (found.some((each) => each === undefined)) return [];
    const right = mean(found.map((each) => rightOf(each!)));
    return [[batch, 100 * (judged === "bits" ? right : 1 - right)] as [number, number]];
  });
}

/** The page with this section between its markers; where there are none, at its end. */
export function placeSection(page: string, name: string, section: string): string {
  const [begin, end] = [`<!-- compare:${name} -->`, `<!-- /compare:${name} -->`];
  const whole = `${begin}\n${section}\n${end}`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) return `${page.trimEnd()}${page.trim() === "" ? "" : "\n\n"}${whole}\n`;
  return page.slice(0, from) + whole + page.slice(to + end.length);
}
