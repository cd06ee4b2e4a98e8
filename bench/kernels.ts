/**
 * How fast the kernel sets multiply, and how fast they train a dense layer, side by side:
 *
 *     node --import tsx bench/kernels.ts
 *
 * Candidates take turns within each round, so that a busy machine slows all of them; times are CPU times of the
 * candidate's process; a figure is the median of the rounds, a ratio the median of the rounds' ratios.
 * PyTorch takes part where python3 (or what PYTHON names) has it, with one thread.
 */
import { cpus } from "node:os";
import { plainKernels } from "../shared/math/plain-kernels.ts";
import { wasmKernels } from "../shared/math/wasm-kernels.ts";
import { kernelCandidate } from "./kernels/candidate.ts";
import { startTorch } from "./kernels/torch.ts";
import { type Candidate, flops, nameOf, type Work } from "./kernels/work.ts";

const ROUNDS = 7;
const ROUND_MS = 40;

const multiplications: Work[] = [
  [256, 784, 256],
  [256, 256, 256],
  [64, 784, 256],
  [256, 1024, 1024],
  [250, 24, 128],
  [10, 24, 128],
  [12, 8, 8],
  [1, 256, 256],
].map(([rows, inner, columns]) => ({
  kind: "multiply",
  rows: rows!,
  inner: inner!,
  columns: columns!,
  transposeA: false,
  transposeB: false,
}));
const square = { kind: "multiply", rows: 256, inner: 256, columns: 256 } as const;
const works: Work[] = [
  ...multiplications,
  { ...square, transposeA: true, transposeB: false },
  { ...square, transposeA: false, transposeB: true },
  { kind: "step", rows: 256, inner: 256, columns: 256 },
  { kind: "step", rows: 10, inner: 24, columns: 128 },
];

await main();

async function main(): Promise<void> {
  const torch = await startTorch();
  const [plain, wasm] = [plainKernels(), wasmKernels()].map(kernelCandidate);
  const candidates = [wasm!, plain!, ...(torch.candidate ? [torch.candidate] : [])];
  console.log(`${cpus()[0]!.model.trim()}, ${process.platform} ${process.arch}`);
  console.log(`node ${process.version}, V8 ${process.versions.v8}, ${torch.says}`);
  console.log(`median of ${ROUNDS} rounds of ${ROUND_MS} ms, candidates in turns, CPU time\n`);
  console.log(row(["", ...candidates.map(({ name }) => name), ...candidates.slice(1).map(ratioTitle)]));
  for (const work of works) console.log(row([nameOf(work), ...(await figures(candidates, work))]));
  torch.candidate?.stop();
}

function ratioTitle({ name }: Candidate): string {
  return `wasm/${name}`;
}

/** The rate of each candidate, then the rate of the first relative to each of the others. */
async function figures(candidates: readonly Candidate[], work: Work): Promise<string[]> {
  const rounds = await secondsByRound(candidates, work);
  const rates = candidates.map((_, i) => rateOf(work, median(rounds.map((seconds) => seconds[i]!))));
  const ratios = candidates.slice(1).map((_, i) => median(rounds.map((s) => s[i + 1]! / s[0]!)));
  return [...rates, ...ratios.map((ratio) => `${ratio.toFixed(2)}x`)];
}

async function secondsByRound(candidates: readonly Candidate[], work: Work): Promise<number[][]> {
  const rounds: number[][] = [];
  // The first rounds only warm the compilers and caches.
  for (let round = -2; round < ROUNDS; round++) {
    const seconds: number[] = [];
    for (const candidate of candidates) seconds.push(await candidate.secondsPerRun(work, ROUND_MS));
    if (round >= 0) rounds.push(seconds);
  }
  return rounds;
}

function rateOf(work: Work, seconds: number): string {
  if (work.kind === "step") return `${Math.round(1 / seconds)} steps/s`;
  return `${(flops(work) / seconds / 1e9).toPrecision(3)} GFLOP/s`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function row([title, ...cells]: readonly string[]): string {
  return title!.padEnd(22) + cells.map((cell) => cell.padStart(16)).join("");
}
