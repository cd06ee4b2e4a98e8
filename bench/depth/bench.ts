import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { svgFile } from "../../shared/record/curves/svg-chart.ts";
import type { Bench } from "../harness/bench.ts";
import { BenchRun } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import { alternate, median, ratioOf } from "../harness/statistics.ts";

/** Batches after which V8 has optimized what a layer calls a few times a batch; in backprop they would take minutes. */
const WARM_UP = 1500;
const METHODS = ["cdni", "backprop"] as const;
type Method = (typeof METHODS)[number];

export const bench: Bench = {
  title: "Depth: more layers, the same batches a second",
  async run({ isQuick, say }) {
    const depths = isQuick ? [1, 4] : [1, 2, 4, 8, 16];
    const runs = METHODS.flatMap((method) =>
      depths.map((depth) => [`${method} ${depth}`, () => rateOf(method, depth, isQuick, say)] as const),
    );
    const rates = await alternate(Object.fromEntries(runs), { rounds: isQuick ? 1 : 5 });
    const toOne = (method: Method, depth: number) =>
      ratioOf(rates[`${method} ${depth}`]!, rates[`${method} 1`]!);
    const rows = depths.map((depth) => [
      depth,
      ...METHODS.flatMap((method) => [
        median(rates[`${method} ${depth}`]!),
        renderSpread(toOne(method, depth), "×"),
      ]),
    ]);
    const deepest = depths.at(-1)!;
    const measured = toOne("cdni", deepest).median;
    const bar = { of: `cdni, ${deepest} layers against 1`, measured, unit: "×", least: 0.9 };
    const series = METHODS.map((method) => ({
      name: method,
      points: depths.map((depth) => [depth, median(rates[`${method} ${depth}`]!)] as const),
    }));
    const svg = svgFile({ title: "Layers of 5 ms each", x: "layers", y: "batches/s", logX: true, series });
    return {
      tables: [
        {
          title: "Batches a second with layers that take 5 ms for each batch",
          columns: ["layers", "cdni /s", "cdni : 1 layer", "backprop /s", "backprop : 1 layer"],
          rows,
          bars: [bar],
          plot: { file: "depth.svg", svg },
        },
      ],
      notes: [
        `The 5 ms are artificial: each layer process blocks for 5 ms for each batch it learns (bench/depth/slow-layer.ts), in addition to a layer of 8 units on two rings, batch 64. Two cores cannot compute 16 × 5 ms at once; sixteen machines could. The rate counts from batch ${WARM_UP} on (backprop of several layers: from batch 20).`,
      ],
    };
  },
};

async function rateOf(
  method: Method,
  depth: number,
  isQuick: boolean,
  say: (line: string) => void,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-depth-"));
  const config = join(folder, "depth.yaml");
  writeFileSync(config, configOf(method, depth));
  const command = (name: string) =>
    name === "source"
      ? undefined
      : ["--require", "./services/start/engine.cjs", "--import", "tsx", "bench/depth/slow-layer.ts"];
  const run = await BenchRun.start({ config, set: [], command });
  try {
    const rate = await run.rate(depth === 1 || method === "cdni" ? WARM_UP : 20, isQuick ? 2000 : 5000);
    say(`${method}, ${depth} layers: ${rate.toFixed(1)} batches/s`);
    return rate;
  } finally {
    await run.close();
    rmSync(folder, { recursive: true });
  }
}

function configOf(method: Method, depth: number): string {
  const hidden = Array.from({ length: depth - 1 }, () => "  - { outputs: 8 }\n").join("");
  return `data: { set: two-rings }
layers:
${hidden}  - { outputs: 2 }
learning: { method: ${method} }
run: { batchSize: 64, batches: 1000000, evaluateEvery: 1000000, checkpointEvery: 1000000 }
`;
}
