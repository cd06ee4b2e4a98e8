import type { Bench } from "../harness/bench.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";
import { alternate, median, type Rounds, ratioOf } from "../harness/statistics.ts";
import { startCandidates } from "./candidates.ts";
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
    const { candidates, says } = await startCandidates(python);
    for (const each of says) say(each);
    const pace = isQuick ? { rounds: 2, ms: 20, warmUpMs: 600 } : { rounds: 15, ms: 40, warmUpMs: 1000 };
    const found: Table[] = [];
    for (const table of tables) {
      say(table.title);
      found.push(await tableOf(table, candidates, pace));
    }
    for (const each of candidates) each.stop();
    return {
      tables: found,
      versions: says,
      notes: [
        `Each candidate has one thread and a process of its own, and counts its CPU time. Candidates take turns, those that are compared next to each other; a figure is the median of ${pace.rounds} rounds of ${pace.ms} ms, a ratio the median of the rounds' ratios. Until 2026-11-28 our kernels shared one process, where the engine compiled what calls them for all at once, and there were 7 rounds, the first of them before it was done with steps: small shapes came out slower than in a layer, and unsteady. Now steps run for a second first.`,
      ],
    };
  },
};

interface Pace {
  readonly rounds: number;
  readonly ms: number;
  /** Of steps, before the first round. */
  readonly warmUpMs: number;
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
  // Who are compared, side by side: so the machine has least time to become another.
  const turns = [...new Set([...pairs.flat(), ...names])];
  const inTurns = turns.map((name) => able.find((each) => each.name === name)!);
  for (const work of works) {
    const seconds = await secondsOf(work, inTurns, pace);
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
  { rounds, ms, warmUpMs }: Pace,
): Promise<Rounds<string>> {
  const runs = candidates.map((each) => [each.name, () => each.secondsPerRun(work, ms)] as const);
  // The engine takes a quarter of a second of steps to compile all that a layer runs.
  if (work.kind !== "multiply") for (const each of candidates) await each.secondsPerRun(work, warmUpMs);
  // The first rounds only warm caches.
  return alternate(Object.fromEntries(runs), { rounds, warmUp: 2 });
}

function rateOf(work: Work, seconds: number): number {
  return work.kind === "multiply" ? flops(work) / seconds / 1e9 : Math.round(1 / seconds);
}
