import type { Kernels } from "../../shared/math/kernels.ts";
import { loadLibrary } from "../../shared/math/native/library.ts";
import { nativeKernels } from "../../shared/math/native-kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { relaxedKernels, wasmKernels } from "../../shared/math/wasm-kernels.ts";
import type { Bench } from "../harness/bench.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";
import { alternate, median, type Rounds, ratioOf } from "../harness/statistics.ts";
import { kernelCandidate } from "./candidate.ts";
import { startRivals } from "./rivals.ts";
import { type Candidate, flops, multiplication, nameOf, type Work } from "./work.ts";

const products = [
  [256, 784, 256],
  [256, 256, 256],
  [64, 784, 256],
  [256, 1024, 1024],
  [768, 128, 512],
  [768, 512, 128],
  [250, 24, 128],
  [10, 24, 128],
  [64, 256, 10],
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

/** OpenBLAS by the kernels for the same instructions as each path. */
const OPENBLAS: Readonly<Record<string, string>> = { avx512: "SkylakeX", avx2: "Haswell" };
/** Of OpenBLAS's speed; more of it below so many multiplications, where a call costs most. */
const [LEAST_OF_BLAS, LEAST_OF_BLAS_SMALL, SMALL] = [0.95, 1.2, 10 * 24 * 128];

/** What the best path must reach of PyTorch in steps; the work is the same for both. */
const LEAST_OF_TORCH: Readonly<Record<string, number>> = {
  "step 256x256x256": 1.6,
  "step 10x24x128": 17,
  "decoupled 256x256x256": 2.2,
  "decoupled 10x24x128": 15,
};

export const bench: Bench = {
  title: "Kernels: as fast as OpenBLAS, and faster than PyTorch",
  async run({ isQuick, python, say }) {
    const ours = ourKernels();
    const rivals = await startRivals(python);
    for (const each of rivals.says) say(each);
    const candidates = [...ours.map(kernelCandidate), ...rivals.candidates];
    const pace = isQuick ? { rounds: 2, ms: 20 } : { rounds: 7, ms: 40 };
    const found: Table[] = [];
    for (const table of tables) {
      say(table.title);
      found.push(await tableOf(table, candidates, pace));
    }
    for (const each of rivals.candidates) each.stop();
    return {
      tables: found,
      versions: rivals.says,
      notes: [
        `Each candidate has one thread and counts its CPU time. Candidates take turns; a figure is the median of ${pace.rounds} rounds of ${pace.ms} ms, a ratio the median of the rounds' ratios. Our kernels share one process; each core type of OpenBLAS and PyTorch have one of their own.`,
      ],
    };
  },
};

/** Native by every path of this processor, best first; the others. */
function ourKernels(): Kernels[] {
  const library = loadLibrary(process);
  const native = library.paths.map((path) => ({ ...nativeKernels(library, path), name: path }));
  return [...native, relaxedKernels(), wasmKernels(), plainKernels()];
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
  const able = candidates.filter((each) => each.can.includes(works[0]!.kind));
  const names = able.map(({ name }) => name);
  const rows: Cell[][] = [];
  const bars: Bar[] = [];
  const pairs = pairsOf(names, works[0]!.kind);
  for (const work of works) {
    const seconds = await secondsOf(work, able, pace);
    const ratios = pairs.map(([name, rival]) => ratioOf(seconds[rival]!, seconds[name]!));
    const rates = names.map((name) => rateOf(work, median(seconds[name]!)));
    rows.push([nameOf(work), ...rates, ...ratios.map((ratio) => renderSpread(ratio, "×"))]);
    for (const [i, [name, rival]] of pairs.entries()) {
      bars.push({
        of: `${name} against ${rival}, ${nameOf(work)}`,
        measured: ratios[i]!.median,
        unit: "×",
        least: leastOf(work),
      });
    }
  }
  const columns = [unit, ...names, ...pairs.map(([name, rival]) => `${name} : ${rival}`)];
  return { title, columns, rows, bars };
}

/** Who is compared with whom: each path with OpenBLAS by the same instructions, the best one with PyTorch in steps. */
function pairsOf(names: readonly string[], kind: Work["kind"]): [string, string][] {
  const pairs = Object.entries(OPENBLAS).map(([path, core]): [string, string] => [path, core]);
  const wanted = kind === "multiply" ? pairs : [[names[0]!, "torch"] as [string, string]];
  return wanted.filter((pair) => pair.every((name) => names.includes(name)));
}

function leastOf(work: Work): number {
  if (work.kind !== "multiply") return LEAST_OF_TORCH[nameOf(work)]!;
  return flops(work) / 2 < SMALL ? LEAST_OF_BLAS_SMALL : LEAST_OF_BLAS;
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

function rateOf(work: Work, seconds: number): number {
  return work.kind === "multiply" ? flops(work) / seconds / 1e9 : Math.round(1 / seconds);
}
