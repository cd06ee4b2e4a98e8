import type { LinkDtype } from "../../shared/wire/frames.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun, cursorOf } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Cell, Table } from "../harness/report.ts";
import { alternate, median, type Rounds, ratioOf } from "../harness/statistics.ts";
import { Ends } from "../link/ends.ts";

const CONFIG = "configs/mnist.yaml";
const DTYPES: readonly LinkDtype[] = ["f32", "f16", "bf16", "i8"];
/** 100 Mbit/s. */
const BYTES_PER_SECOND = 12_500_000;
const ENDLESS = ["run.epochs=1000", "run.evaluateEvery=900000"];

export const bench: Bench = {
  title: "Precision: fewer bytes, the same digits",
  async run(asked) {
    return {
      tables: [await measureRuns(asked), await measureLink(asked)],
      notes: [
        "Errors are of runs of configs/mnist.yaml with only wire.dtype and seed changed. The window is 4, so which target comes when varies from run to run.",
        "Batches a second are of the same runs with each of the four links through a proxy of 100 Mbit/s in each direction. Source, layers and proxies share this machine's cores, which are a bound of their own.",
        "Bytes are what passed the proxies, both ways, with everything around the tensors. The source's link carries bytes of images whatever the type.",
        "The link alone is two processes and one such proxy. They make every check of the real path and the casts, and learn nothing. Activations of 64 × 256 go there and as many gradients come back, window 16.",
      ],
    };
  },
};

async function measureRuns(asked: Asked): Promise<Table> {
  const { isQuick } = asked;
  const errors = new Map<LinkDtype, number[]>();
  for (const seed of isQuick ? [0] : [0, 1, 2]) {
    for (const dtype of DTYPES)
      errors.set(dtype, [...(errors.get(dtype) ?? []), await errorOf(dtype, seed, asked)]);
  }
  const bytes = new Map<LinkDtype, number>();
  const rates = await inTurns(isQuick ? 1 : 5, async (dtype) => {
    const found = await speedOf(dtype, asked);
    bytes.set(dtype, found.bytesPerBatch);
    return found.rate;
  });
  const means = DTYPES.map((dtype) => mean(errors.get(dtype)!));
  const rows = DTYPES.map((dtype, index): Cell[] => [
    dtype,
    means[index]!,
    errors
      .get(dtype)!
      .map((error) => error.toFixed(2))
      .join(", "),
    bytes.get(dtype)! / 1000,
    median(rates[dtype]),
    renderSpread(ratioOf(rates[dtype], rates.f32), "×"),
  ]);
  const apart = Math.max(...means) - Math.min(...means);
  return {
    title: "MNIST over wires of four types",
    columns: [
      "type",
      "test error, mean, %",
      "by seed, %",
      "kB a batch, all links",
      "batches/s at 100 Mbit/s",
      "against f32",
    ],
    rows,
    bars: [{ of: "mean test errors apart", measured: apart, unit: " points", most: 0.2 }],
  };
}

async function measureLink({ isQuick, say }: Asked): Promise<Table> {
  const conditions = { bytesPerSecond: BYTES_PER_SECOND };
  const ends = new Map<LinkDtype, Ends>();
  for (const dtype of DTYPES) ends.set(dtype, await Ends.start("link", { dtype, conditions }));
  const exchange = { rows: 64, columns: 256, window: 16, ms: isQuick ? 1000 : 4000 };
  const rates = await inTurns(isQuick ? 1 : 5, async (dtype) => {
    const rate = await ends.get(dtype)!.rate(exchange);
    say(`${dtype}, the link alone: ${rate.toFixed(1)} exchanges/s`);
    return rate;
  });
  for (const each of ends.values()) await each.stop();
  const toF32 = (dtype: LinkDtype) => ratioOf(rates[dtype], rates.f32);
  return {
    title: "One link of 100 Mbit/s alone",
    columns: ["type", "exchanges/s", "against f32"],
    rows: DTYPES.map((dtype) => [dtype, median(rates[dtype]), renderSpread(toF32(dtype), "×")]),
    bars: [
      { of: "i8 against f32 at a link of 100 Mbit/s", measured: toF32("i8").median, unit: "×", least: 3 },
    ],
  };
}

function inTurns(rounds: number, measure: (dtype: LinkDtype) => Promise<number>): Promise<Rounds<LinkDtype>> {
  const candidates = Object.fromEntries(DTYPES.map((dtype) => [dtype, () => measure(dtype)]));
  return alternate(candidates as Record<LinkDtype, () => Promise<number>>, { rounds });
}

async function errorOf(dtype: LinkDtype, seed: number, { isQuick, say }: Asked): Promise<number> {
  const length = isQuick ? ["run.batches=200", "run.evaluateEvery=200"] : [];
  const run = await BenchRun.start({
    config: CONFIG,
    set: [`wire.dtype=${dtype}`, `seed=${seed}`, ...length],
  });
  try {
    const { test } = await run.direct.summary();
    say(`${dtype}, seed ${seed}: ${(100 * test.error).toFixed(2)} %`);
    return 100 * test.error;
  } finally {
    await run.close();
  }
}

async function speedOf(
  dtype: LinkDtype,
  { isQuick, say }: Asked,
): Promise<{ rate: number; bytesPerBatch: number }> {
  const set = [`wire.dtype=${dtype}`, ...ENDLESS];
  const run = await BenchRun.start({ config: CONFIG, set, conditions: { bytesPerSecond: BYTES_PER_SECOND } });
  try {
    const rate = await run.rate(50, isQuick ? 2000 : 6000);
    const batches = 1 + cursorOf(run.latest.telemetry);
    say(`${dtype} at 100 Mbit/s: ${rate.toFixed(1)} batches/s`);
    return { rate, bytesPerBatch: run.bytesPassed / batches };
  } finally {
    await run.close();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
