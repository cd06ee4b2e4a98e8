import { svgFile } from "../../shared/record/curves/svg-chart.ts";
import type { Bench } from "../harness/bench.ts";
import type { Table } from "../harness/report.ts";
import { simulate } from "./chain.ts";
import type { ScaleFindings, ScaleOptions } from "./findings.ts";

const MINUTE_MS = 60_000;
const FREE: ScaleOptions = {
  ...{ layers: 16, seed: 1, horizonMs: 5000, linkMs: 10, failureMs: Number.POSITIVE_INFINITY },
  stalenessBudget: 64,
};
const FAILURES = [
  ["1 h", 60 * MINUTE_MS],
  ["10 min", 10 * MINUTE_MS],
  ["1 min", MINUTE_MS],
] as const;
/** Mean of what a node is away for. */
const AWAY_MS = 35_000;

export const bench: Bench = {
  title: "Scale: more nodes, slower links, and nodes that die, in virtual time",
  async run({ isQuick, say }) {
    const sizes = isQuick ? [16, 64] : [16, 64, 256, 1024];
    const horizonMs = isQuick ? MINUTE_MS : 5 * MINUTE_MS;
    const seeds = isQuick ? 10 : 200;
    const rates = new Map(sizes.map((layers) => [layers, rateOf({ ...FREE, layers })]));
    say("without faults: done");
    return {
      tables: [links(sizes), failures(sizes, rates, horizonMs, say), rules(seeds, say)],
      notes: [
        "The chain runs the reducer of `shared/delivery`, as the real processes do; its links and nodes are simulated (bench/scale/chain.ts). A layer takes 5 ms for an update, 3 ms to pass on what it has learnt already, 1 ms to learn from a target. Links jitter by a fifth. The window is 4, the staleness budget 64; a checkpoint comes every 200 batches. A node that dies is noticed after 2.5 s and is back, on its checkpoint, after 10 to 60 s.",
        "Goodput is what every layer has learnt, over the same without faults. A batch needs every layer, and a layer without its successor learns at most 64 batches alone. So a chain goes on only while all nodes are there. With n nodes, each away for a share a of the time, that is about (1 − a)ⁿ of the time: the column *all there*. Runs begin with all nodes there, so they reach a little more.",
        "No way of recovering changes that: 256 nodes that die every 10 minutes and are away for 35 s are all there for a millionth of the time. Nodes that come back in a fraction of a second would, and stand-ins. A larger budget alone does not: a layer waits while it feeds a successor that came back, or its targets would be minutes old. With a budget of 16,000 batches, 16 layers that die every 10 minutes came to 0.36 where 64 gave 0.44.",
      ],
    };
  },
};

function rateOf(options: ScaleOptions): number {
  return (simulate(options).fed * 1000) / options.horizonMs;
}

function links(sizes: readonly number[]): Table {
  const delays = [0.1, 10, 50];
  const rows = sizes.map((layers) => [
    layers,
    ...delays.flatMap((linkMs) => {
      const { fed, staleness } = simulate({ ...FREE, layers, linkMs });
      return [(fed * 1000) / FREE.horizonMs, staleness];
    }),
  ]);
  return {
    title: "Batches a second without faults, and the mean age of a target in batches",
    columns: ["layers", ...delays.flatMap((ms) => [`${ms} ms: /s`, "age"])],
    rows,
    bars: [],
  };
}

function failures(
  sizes: readonly number[],
  rates: ReadonlyMap<number, number>,
  horizonMs: number,
  say: (line: string) => void,
): Table {
  const goodputs = new Map<string, number>();
  const rows = sizes.flatMap((layers) =>
    FAILURES.map(([name, failureMs]) => {
      const found = simulate({ ...FREE, layers, failureMs, horizonMs });
      const goodput = (found.learnt * 1000) / horizonMs / rates.get(layers)!;
      goodputs.set(`${layers} ${name}`, goodput);
      say(`${layers} layers, a node dies every ${name}: ${goodput.toFixed(3)}`);
      return [layers, name, goodput, allThere(layers, failureMs), ...figures(found)];
    }),
  );
  const series = FAILURES.map(([name]) => ({
    name: `a node dies every ${name}`,
    points: sizes.map((layers) => [layers, goodputs.get(`${layers} ${name}`)!] as const),
  }));
  const most = sizes.at(-2)!;
  return {
    title: "Goodput where nodes die, links of 10 ms",
    columns: [
      "layers",
      "a node dies every",
      "goodput",
      "all there",
      "deaths",
      "back after, s",
      "age",
      "kept at most",
    ],
    rows,
    bars: [
      {
        of: `goodput, ${most} layers, each node dying every 10 minutes`,
        measured: goodputs.get(`${most} 10 min`)!,
        unit: "×",
        least: 0.8,
      },
    ],
    plot: {
      file: "scale.svg",
      svg: svgFile({ title: "Goodput", x: "layers", y: "of fault-free", logX: true, series }),
    },
  };
}

function allThere(layers: number, failureMs: number): number {
  return (failureMs / (failureMs + AWAY_MS)) ** layers;
}

function figures({ deaths, backMs, staleness, most }: ScaleFindings): number[] {
  return [deaths, backMs / 1000, staleness, most];
}

/** What a layer must never do: learn a batch twice or out of order, answer what was not asked, keep more than its window. */
function rules(seeds: number, say: (line: string) => void): Table {
  let [violations, deaths] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const layers = [4, 8, 16][seed % 3]!;
    const found = simulate({ ...FREE, seed, layers, failureMs: MINUTE_MS / 2, horizonMs: MINUTE_MS });
    violations += found.violations.length;
    deaths += found.deaths;
  }
  say(`${seeds} seeds: ${violations} violations`);
  return {
    title: "What must never happen, 4 to 16 layers, each node dying every 30 s",
    columns: ["seeds", "deaths", "violations"],
    rows: [[seeds, deaths, violations]],
    bars: [{ of: "violations", measured: violations, unit: "", most: 0 }],
  };
}
