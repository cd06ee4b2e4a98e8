import { loadBlas } from "../../shared/math/blas/load.ts";
import { blasKernels } from "../../shared/math/blas-kernels.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import { relaxedKernels, wasmKernels } from "../../shared/math/wasm-kernels.ts";
import type { Bench } from "../harness/bench.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";
import { alternate, median, type Rounds, ratioOf } from "../harness/statistics.ts";
import { kernelCandidate } from "./candidate.ts";
import { startTorch } from "./torch.ts";
import { type Candidate, flops, multiplication, nameOf, type Work } from "./work.ts";

const products = [
  [256, 784, 256],
  [256, 256, 256],
  [64, 784, 256],
  [256, 1024, 1024],
  [250, 24, 128],
  [10, 24, 128],
  [12, 8, 8],
  [1, 256, 256],
].map(([rows, inner, columns]) => multiplication(rows!, inner!, columns!));

const square = { rows: 256, inner: 256, columns: 256 };
const small = { rows: 10, inner: 24, columns: 128 };

const tables: readonly { title: string; unit: string; works: readonly Work[] }[] = [
  {
    title: "Products, GFLOP/s",
    unit: "GFLOP/s",
    works: [...products, { ...products[1]!, transposeA: true }, { ...products[1]!, transposeB: true }],
  },
  {
    title:
      "A training step of a dense layer, steps/s: forward, sigmoid, the gradients by input and weights, Adam",
    unit: "steps/s",
    works: [
      { kind: "step", ...square },
      { kind: "step", ...small },
    ],
  },
  {
    title:
      "A decoupled layer, steps/s: forward, batch norm, ReLU, a linear generator's guess, backward, Adam; then the generator learns",
    unit: "steps/s",
    works: [
      { kind: "decoupled", ...square },
      { kind: "decoupled", ...small },
    ],
  },
];

/** What a kernel set must reach of PyTorch in steps; the work is the same for all. */
const least: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  blas: { "256x256x256": 1.15, "10x24x128": 10 },
  wasm: { "256x256x256": 0.33, "10x24x128": 9 },
};

export const bench: Bench = {
  title: "Kernels: as fast as PyTorch",
  async run({ isQuick, python, say }) {
    const ours = ourKernels();
    const torch = await startTorch(python);
    for (const each of [...ours.says, torch.says]) say(each);
    const candidates = [...ours.sets.map(kernelCandidate), ...(torch.candidate ? [torch.candidate] : [])];
    const pace = isQuick ? { rounds: 2, ms: 20 } : { rounds: 7, ms: 40 };
    const found: Table[] = [];
    for (const table of tables) {
      say(table.title);
      found.push(await tableOf(table, candidates, pace));
    }
    torch.candidate?.stop();
    return {
      tables: found,
      versions: [...ours.says, torch.says],
      notes: [
        `One thread each, CPU time of each process, candidates in turns, median of ${pace.rounds} rounds of ${pace.ms} ms; a ratio is the median of the rounds' ratios. Our kernels share one process.`,
      ],
    };
  },
};

/** Every set that this machine has; `says` with what they compute, or why one is left out. */
function ourKernels(): { sets: Kernels[]; says: string[] } {
  const sets = [wasmKernels()];
  const says: string[] = [];
  const add = (find: () => Kernels) => {
    try {
      sets.push(find());
    } catch (error) {
      says.push(`left out: ${(error as Error).message}`);
    }
  };
  add(relaxedKernels);
  add(() => {
    const blas = loadBlas({ env: process.env, platform: process.platform });
    says.push(`${blas.library} (${blas.core}, 1 thread)`);
    return blasKernels(blas);
  });
  return { sets: [...sets, plainKernels()], says };
}

interface Pace {
  readonly rounds: number;
  readonly ms: number;
}

async function tableOf(
  { title, unit, works }: (typeof tables)[number],
  candidates: readonly Candidate[],
  pace: Pace,
): Promise<Table> {
  const names = candidates.map(({ name }) => name);
  const rivals = names.filter((name) => name !== "torch" && names.includes("torch"));
  const rows: Cell[][] = [];
  const bars: Bar[] = [];
  for (const work of works) {
    const seconds = await secondsOf(work, candidates, pace);
    const ratios = rivals.map((name) => ratioOf(seconds.torch!, seconds[name]!));
    const rates = names.map((name) => rateOf(work, median(seconds[name]!)));
    rows.push([nameOf(work), ...rates, ...ratios.map((ratio) => renderSpread(ratio, "×"))]);
    for (const [i, name] of rivals.entries()) bars.push(...barsOf(work, name, ratios[i]!.median));
  }
  const columns = [unit, ...names, ...rivals.map((name) => `${name} : torch`)];
  return { title, columns, rows, bars };
}

async function secondsOf(
  work: Work,
  candidates: readonly Candidate[],
  { rounds, ms }: Pace,
): Promise<Rounds<string>> {
  const runs = candidates.map((each) => [each.name, () => each.secondsPerRun(work, ms)] as const);
  // The first rounds only warm the compilers and caches.
  return alternate(Object.fromEntries(runs), { rounds, warmUp: 2 });
}

function barsOf(work: Work, name: string, measured: number): Bar[] {
  const shape = `${work.rows}x${work.inner}x${work.columns}`;
  const promised = work.kind === "multiply" ? undefined : least[name]?.[shape];
  if (promised === undefined) return [];
  return [{ of: `${name} against PyTorch, ${nameOf(work)}`, measured, unit: "×", least: promised }];
}

function rateOf(work: Work, seconds: number): number {
  return work.kind === "multiply" ? flops(work) / seconds / 1e9 : Math.round(1 / seconds);
}
