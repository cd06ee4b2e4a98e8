import type { Asked } from "../harness/bench.ts";
import { BenchRun } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Cell, Table } from "../harness/report.ts";
import { alternate, ratioOf, spreadOf } from "../harness/statistics.ts";

/** Each way, on every link. */
const DELAYS_MS = [0, 10, 50];
/** Unanswered activations of a link: 100 ms of batches, and more. */
const WINDOW = 8;
/** Longer than anybody looks. */
const ENDLESS = ["run.batches=1000000", "run.evaluateEvery=1000000"];

const WAYS = {
  cdni: ["learning.method=cdni", `delivery.window=${WINDOW}`],
  "late gradients": ["learning.method=backprop", `delivery.window=${WINDOW}`],
  backprop: ["learning.method=backprop", "delivery.window=1"],
} as const;

/** Batches a second over links that delay both directions. */
export async function measureLinks(config: string, { isQuick, say }: Asked): Promise<Table> {
  const settings = DELAYS_MS.flatMap((delayMs) =>
    (Object.keys(WAYS) as (keyof typeof WAYS)[]).map((way) => ({
      way,
      delayMs,
      key: `${way} ${delayMs} ms`,
    })),
  );
  const candidates = settings.map(({ way, delayMs, key }) => {
    const measure = async () => {
      const rate = await rateOf(config, WAYS[way], delayMs, isQuick ? 5000 : 10_000);
      say(`${key}: ${rate.toFixed(2)} batches/s`);
      return rate;
    };
    return [key, measure] as const;
  });
  const rates = await alternate(Object.fromEntries(candidates), { rounds: isQuick ? 1 : 3 });
  const rows = settings.map(({ way, delayMs, key }): Cell[] => [
    `${delayMs} ms`,
    way,
    renderSpread(spreadOf(rates[key]!), ""),
    renderSpread(ratioOf(rates[key]!, rates[`${way} 0 ms`]!), "×"),
  ]);
  const against = (other: string) => ratioOf(rates["cdni 50 ms"]!, rates[other]!).median;
  return {
    title: "Links that delay, batches a second",
    columns: ["each way", "learning", "batches/s", "of that at 0 ms"],
    rows,
    bars: [
      { of: "cdni at 50 ms against 0 ms", measured: against("cdni 0 ms"), unit: "×", least: 0.9 },
      {
        of: "cdni against backprop that waits, 50 ms",
        measured: against("backprop 50 ms"),
        unit: "×",
        least: 5,
      },
    ],
  };
}

async function rateOf(config: string, set: readonly string[], delayMs: number, ms: number): Promise<number> {
  const run = await BenchRun.start({
    config,
    set: [...set, ...ENDLESS],
    conditions: { latencyMs: delayMs },
  });
  try {
    return await run.rate(10, ms);
  } finally {
    await run.close();
  }
}
