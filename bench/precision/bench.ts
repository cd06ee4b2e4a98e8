import { loadConfig } from "../../shared/run/read-config.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun, cursorOf } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Cell } from "../harness/report.ts";
import { alternate, median, ratioOf } from "../harness/statistics.ts";

const CONFIG = "configs/mnist.yaml";
const DTYPES = ["f32", "f16", "bf16", "i8"];
/** 100 Mbit/s. */
const BYTES_PER_SECOND = 12_500_000;
const ENDLESS = ["run.epochs=1000", "run.evaluateEvery=900000"];

export const bench: Bench = {
  title: "Precision: fewer bytes, the same digits",
  async run(asked) {
    const { isQuick } = asked;
    const dtypes = DTYPES.filter(isKnown);
    const missing = DTYPES.filter((dtype) => !dtypes.includes(dtype));
    const errors = new Map<string, number[]>();
    for (const seed of isQuick ? [0] : [0, 1, 2]) {
      for (const dtype of dtypes)
        errors.set(dtype, [...(errors.get(dtype) ?? []), await errorOf(dtype, seed, asked)]);
    }
    const bytes = new Map<string, number>();
    const speed = (dtype: string) => async () => {
      const found = await speedOf(dtype, asked);
      bytes.set(dtype, found.bytesPerBatch);
      return found.rate;
    };
    const candidates = Object.fromEntries(dtypes.map((dtype) => [dtype, speed(dtype)]));
    const rates = await alternate(candidates, { rounds: isQuick ? 1 : 5 });
    const means = dtypes.map((dtype) => mean(errors.get(dtype)!));
    const rows = dtypes.map((dtype, index): Cell[] => [
      dtype,
      means[index]!,
      errors
        .get(dtype)!
        .map((error) => error.toFixed(2))
        .join(", "),
      bytes.get(dtype)! / 1000,
      median(rates[dtype]!),
      renderSpread(ratioOf(rates[dtype]!, rates.f32!), "×"),
    ]);
    const faster = rates.i8 ? ratioOf(rates.i8, rates.f32!).median : Number.NaN;
    const apart = missing.length > 0 ? Number.NaN : Math.max(...means) - Math.min(...means);
    return {
      tables: [
        {
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
          bars: [
            { of: "mean test errors apart", measured: apart, unit: " points", most: 0.2 },
            { of: "i8 against f32 at 100 Mbit/s", measured: faster, unit: "×", least: 3 },
          ],
        },
      ],
      notes: [
        ...(missing.length > 0 ? [`Left out: ${missing.join(", ")}, which the config does not know.`] : []),
        "Errors: runs of configs/mnist.yaml as it is (window 4, so which target comes when varies from run to run), only wire.dtype and seed changed. Throughput: each of the four links through a proxy of 100 Mbit/s in each direction, all on this machine; bytes as they passed the proxies, both ways, with everything around the tensors. The source's link carries bytes of images whatever the type.",
      ],
    };
  },
};

function isKnown(dtype: string): boolean {
  try {
    loadConfig(CONFIG, [`wire.dtype=${dtype}`]);
    return true;
  } catch {
    return false;
  }
}

async function errorOf(dtype: string, seed: number, { isQuick, say }: Asked): Promise<number> {
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
  dtype: string,
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
