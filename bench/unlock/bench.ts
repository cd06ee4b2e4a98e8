import { svgFile } from "../../shared/record/curves/svg-chart.ts";
import type { Bench } from "../harness/bench.ts";
import { BenchRun, cursorOf } from "../harness/bench-run.ts";
import { renderNumber, renderSpread } from "../harness/render.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";
import { alternate, median, ratioOf, spreadOf } from "../harness/statistics.ts";

type Method = "cdni" | "backprop";
type Say = (line: string) => void;

const CONFIG = "configs/mnist.yaml";
/** An epoch of batches of 64. */
const SAME_BATCHES = 938;
/** Runs of these lengths are tried until one ends at the accuracy asked for. */
const LENGTHS = [300, 600, 1200, 2400, 4690];
const MOST_MS = 8 * 60_000;
const ENDLESS = ["run.epochs=1000", "run.evaluateEvery=900000"];

/** A way to learn on links of some delay. A layer that learns slower tolerates older targets. */
interface Setting {
  readonly method: Method;
  readonly delayMs: number;
  readonly window: number;
  readonly rate?: number;
}

export const bench: Bench = {
  title: "Unlock: layers that do not wait for each other",
  async run({ isQuick, say }) {
    const delays = isQuick ? [0, 50] : [0, 10, 50];
    const windows = await windowsFor(delays, isQuick, say);
    const speed = await measureSpeed(delays, windows, isQuick, say);
    const longest = windows.get(50)!;
    const worth = await measureWorth(longest, isQuick, say);
    return {
      tables: [speed, worth],
      notes: [
        "The run is configs/mnist.yaml, batch 64: four layers and the source as five processes. A userland proxy on each of the four links delays both directions (test/support/network/proxy.ts; at 0 ms it is there as well). Everything, proxies included, shares this machine's cores.",
        "backprop is the same services with learning.method backprop and a window of 1: a layer waits for the true gradient. What it computes does not depend on the delay.",
        "Staleness is the mean age of the targets in batches, as the hidden layers report it; median of the reports.",
        "Time to 97 % is that of a run whose rate falls to zero over its length and which is evaluated once, at its end. The shortest length that ends at 97 % of the held-out digits counts, from the first batch to the last update, without evaluation and start-up. The lengths are " +
          `${LENGTHS.join(", ")} batches. For backprop the length is found without delay; then one run of that length is timed at the delay, for at most ${MOST_MS / 60_000} minutes; nothing is extrapolated.`,
      ],
    };
  },
};

/** As many unanswered activations as keep a link of that delay busy, and a half more. */
async function windowsFor(
  delays: readonly number[],
  isQuick: boolean,
  say: Say,
): Promise<Map<number, number>> {
  const found = await speedOf({ method: "cdni", delayMs: 0, window: 4 }, isQuick ? 1500 : 5000);
  const perMs = found.rate / 1000;
  const windows = new Map(delays.map((delay) => [delay, 4 + Math.ceil(1.5 * 2 * delay * perMs)]));
  say(`windows: ${[...windows].map(([delay, window]) => `${window} at ${delay} ms`).join(", ")}`);
  return windows;
}

// — how many batches a second —

async function measureSpeed(
  delays: readonly number[],
  windows: ReadonlyMap<number, number>,
  isQuick: boolean,
  say: Say,
): Promise<Table> {
  const staleness = new Map<string, number[]>();
  const settings = delays.flatMap((delayMs): Setting[] => [
    { method: "cdni", delayMs, window: windows.get(delayMs)! },
    { method: "backprop", delayMs, window: 1 },
  ]);
  const candidates = settings.map((setting) => {
    const key = name(setting.method, setting.delayMs);
    const measure = async () => {
      const found = await speedOf(setting, isQuick ? 2000 : 6000);
      say(`${key} ms, window ${setting.window}: ${found.rate.toFixed(1)} batches/s`);
      staleness.set(key, [...(staleness.get(key) ?? []), found.staleness]);
      return found.rate;
    };
    return [key, measure] as const;
  });
  const rates = await alternate(Object.fromEntries(candidates), { rounds: isQuick ? 1 : 5 });
  const rows = settings.map(({ method, delayMs, window }): Cell[] => {
    const key = name(method, delayMs);
    const old = median((staleness.get(key) ?? []).filter((value) => Number.isFinite(value)));
    return [
      `${delayMs} ms`,
      method,
      window,
      renderSpread(spreadOf(rates[key]!), ""),
      method === "cdni" ? old : "–",
    ];
  });
  return {
    title: "Batches a second over distance",
    columns: ["delay, each way", "learning", "window", "batches/s", "staleness"],
    rows,
    bars: speedBars(rates),
    plot: { file: "unlock.svg", svg: speedPlot(rates, delays) },
  };
}

function name(method: Method, delayMs: number): string {
  return `${method} ${delayMs}`;
}

type Rates = Readonly<Record<string, readonly number[]>>;

function speedBars(rates: Rates): Bar[] {
  const far = rates[name("cdni", 50)]!;
  const against = (method: Method, delayMs: number) => ratioOf(far, rates[name(method, delayMs)]!).median;
  return [
    { of: "cdni at 50 ms against cdni at 0 ms", measured: against("cdni", 0), unit: "×", least: 0.9 },
    {
      of: "cdni at 50 ms against backprop at 50 ms",
      measured: against("backprop", 50),
      unit: "×",
      least: 40,
    },
  ];
}

function speedPlot(rates: Rates, delays: readonly number[]): string {
  return svgFile({
    title: "MNIST, four layers: batches a second over distance",
    x: "delay of each direction of each link, ms",
    y: "batches/s",
    logY: true,
    series: (["cdni", "backprop"] as const).map((method) => ({
      name: method,
      points: delays.map((delay) => [delay, median(rates[name(method, delay)]!)] as const),
    })),
  });
}

async function speedOf(setting: Setting, ms: number): Promise<{ rate: number; staleness: number }> {
  const run = await start(setting, ENDLESS);
  try {
    const isSlow = setting.method === "backprop" && setting.delayMs > 0;
    const rate = await run.rate(isSlow ? 3 : Math.max(100, 4 * setting.window), ms);
    return { rate, staleness: run.staleness };
  } finally {
    await run.close();
  }
}

// — what the batches are worth —

async function measureWorth(longest: number, isQuick: boolean, say: Say): Promise<Table> {
  const accuracy = isQuick ? 0.85 : 0.97;
  const goal = `${renderNumber(100 * accuracy)} %`;
  const windows = [...new Set([4, 16, longest])]
    .filter((window) => window <= longest)
    .toSorted((a, b) => a - b);
  const some = isQuick ? [longest] : windows;
  const far: Setting[] = some.flatMap((window) => [
    { method: "cdni" as const, delayMs: 50, window },
    // A third of the configured rate.
    ...(window > 8 && !isQuick ? [{ method: "cdni" as const, delayMs: 50, window, rate: 0.001 }] : []),
  ]);
  const rows: Cell[][] = [];
  const seconds: number[] = [];
  for (const setting of far) {
    const same = isQuick ? undefined : await finish(setting, SAME_BATCHES);
    const first = await firstToReach(setting, accuracy, isQuick, say);
    if (first) seconds.push(first.seconds);
    rows.push(rowOf(setting, same, first));
    say(
      `window ${setting.window}, rate ${setting.rate ?? "as configured"}: ${goal} in ${first?.seconds.toFixed(1) ?? "–"} s`,
    );
  }
  const locked: Setting = { method: "backprop", delayMs: 50, window: 1 };
  const near = { ...locked, delayMs: 0 };
  const same = isQuick ? undefined : await finish(near, SAME_BATCHES);
  const length = (await firstToReach(near, accuracy, isQuick, say))?.batches;
  const timed = length === undefined ? undefined : await finish(locked, length);
  const lockedSeconds = timed?.seconds;
  rows.push(rowOf(locked, same, timed && timed.accuracy >= accuracy ? timed : undefined));
  const measured = seconds.length === 0 ? Number.NaN : (lockedSeconds ?? Number.NaN) / Math.min(...seconds);
  return {
    title: `At 50 ms each way: what throughput costs in accuracy, and the time to ${goal}`,
    columns: [
      "learning",
      "window",
      "layer rate",
      "staleness",
      `test error after ${SAME_BATCHES} batches, %`,
      `batches to ${goal}`,
      `seconds to ${goal}`,
    ],
    rows,
    bars: [
      {
        of: `cdni reaches ${goal} at 50 ms sooner than backprop, best window`,
        measured,
        unit: "×",
        least: 10,
      },
    ],
  };
}

function rowOf(
  { method, window, rate }: Setting,
  same: Finished | undefined,
  first: Finished | undefined,
): Cell[] {
  const old = same?.staleness ?? first?.staleness ?? Number.NaN;
  return [
    method,
    window,
    rate ?? "as configured",
    method === "cdni" ? old : "–",
    same ? 100 * (1 - same.accuracy) : "–",
    first?.batches ?? "not reached",
    first?.seconds ?? "not reached",
  ];
}

interface Finished {
  readonly batches: number;
  readonly accuracy: number;
  /** From the first batch that any layer applied to the head's last. */
  readonly seconds: number;
  readonly staleness: number;
}

async function firstToReach(
  setting: Setting,
  accuracy: number,
  isQuick: boolean,
  say: Say,
): Promise<Finished | undefined> {
  for (const batches of isQuick ? [100, 200] : LENGTHS) {
    const found = await finish(setting, batches);
    if (!found) return undefined;
    say(
      `${setting.method} ${setting.delayMs} ms, window ${setting.window}, ${batches} batches: ${(100 * found.accuracy).toFixed(2)} %`,
    );
    if (found.accuracy >= accuracy) return found;
  }
  return undefined;
}

/** A run of so many batches, to its end; undefined if it is not there in time. */
async function finish(setting: Setting, batches: number): Promise<Finished | undefined> {
  const run = await start(setting, [`run.batches=${batches}`, `run.evaluateEvery=${batches}`]);
  try {
    const first = await run
      .worker(1)
      .says(({ msg, neighbour }) => msg === "linked" && neighbour === "source");
    const began = Date.parse(first.time);
    const evaluated = run.headTells(({ kind }) => kind === "evaluated");
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, MOST_MS, undefined).unref());
    const last = await Promise.race([run.headTells((told) => cursorOf(told) >= batches - 1), late]);
    const result = last && (await evaluated);
    if (!last || result?.telemetry.kind !== "evaluated") return undefined;
    const seconds = (performance.timeOrigin + last.at - began) / 1000;
    const accuracy = 1 - result.telemetry.test.error;
    return { batches, accuracy, seconds, staleness: run.staleness };
  } finally {
    await run.close();
  }
}

function start({ method, delayMs, window, rate }: Setting, set: readonly string[]): Promise<BenchRun> {
  return BenchRun.start({
    config: CONFIG,
    set: [
      ...set,
      `learning.method=${method}`,
      ...(method === "cdni"
        ? [`delivery.window=${window}`, `delivery.stalenessBudget=${Math.max(64, 2 * window)}`]
        : []),
      ...(rate === undefined ? [] : [`learning.layer.rate=${rate}`]),
    ],
    conditions: { latencyMs: delayMs },
  });
}
