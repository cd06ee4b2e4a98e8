import { mean } from "../../services/compare/compare-report.ts";
import type { Climb, ClimbOptions } from "./climb.ts";

export interface CopyTrial extends Climb {
  readonly cpuSeconds: number;
}

/** What was found; its JSON is this, and the section is made from it. */
export interface CopyReport {
  readonly command: string;
  /** ISO, UTC. */
  readonly date: string;
  readonly versions: readonly string[];
  readonly options: Omit<ClimbOptions, "boundary" | "steps" | "seed">;
  readonly systems: readonly {
    readonly boundary: ClimbOptions["boundary"];
    readonly steps: number;
    readonly trials: readonly CopyTrial[];
  }[];
}

/** What is asked of synthetic gradients: so many times as long as truncated backpropagation, with the same windows. */
const LEAST_RATIO = 1.5;

export function renderCopy(report: CopyReport): string {
  const { command, date, versions, options, systems } = report;
  const { symbols, units, rows, windows, rate, generator } = options;
  const seeds = systems[0]!.trials.map(({ seed }) => seed).join(", ");
  return [
    `\`${command}\``,
    `LSTM of ${units}, ${symbols} symbols, ${rows} streams, ${count(windows)} windows, rate ${rate}; generator: rate ${generator.rate}, ${generator.hidden.length === 0 ? "linear" : `hidden ${generator.hidden.join(", ")}`}, guesses times ${generator.scale}; seeds ${seeds}. ${date.slice(0, 10)}, ${versions.join(", ")}.`,
    tableOf(report),
    verdictOf(report),
  ].join("\n\n");
}

function tableOf({ systems }: CopyReport): string {
  const header = ["window", "its end is told", "longest solved", "each seed", "last solved at window"];
  const rows = systems.map(({ boundary, steps, trials }) => [
    String(steps),
    boundary === "truncated" ? "nothing (truncated)" : "a guess (synthetic)",
    longest(trials).toFixed(2),
    trials.map(({ solvedAt }) => solvedAt.length).join(", "),
    trials.map(({ solvedAt }) => count(solvedAt.at(-1) ?? 0)).join(", "),
    mean(trials.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1),
    ...["error", "cosine"].map((figure) => healthOf(trials, figure as "error" | "cosine")),
  ]);
  return [[...header, "CPU, s", "generator error", "cosine"], Array(8).fill("--:"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function healthOf(trials: readonly CopyTrial[], figure: "error" | "cosine"): string {
  const found = trials.flatMap(({ health }) => (health ? [health[figure]] : []));
  return found.length === 0 ? "–" : mean(found).toFixed(2);
}

/** Of the longest length solved, mean over the seeds. */
function longest(trials: readonly CopyTrial[]): number {
  return mean(trials.map(({ solvedAt }) => solvedAt.length));
}

function verdictOf({ systems }: CopyReport): string {
  const windows = [...new Set(systems.map(({ steps }) => steps))];
  const ratios = windows.map((steps) => {
    const of = (boundary: string) =>
      longest(systems.find((each) => each.steps === steps && each.boundary === boundary)!.trials);
    return { steps, ratio: of("synthetic") / of("truncated") };
  });
  const said = ratios
    .map(({ steps, ratio }) => `${ratio.toFixed(2)} times with windows of ${steps}`)
    .join(", ");
  const isMet = ratios.every(({ ratio }) => ratio >= LEAST_RATIO);
  return `Synthetic over truncated: ${said}. The bar of ${LEAST_RATIO} is ${isMet ? "met" : "**not met**"}.`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
