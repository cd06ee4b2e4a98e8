import { execFile } from "node:child_process";
import { promisify } from "node:util";

const start = promisify(execFile);

interface TorchRun {
  /** Of training, data in memory, and of the evaluations that the program makes. */
  readonly seconds: number;
  /** With starting Python, importing torch and reading the data. */
  readonly all: number;
  readonly batches: number;
  /** By the measure of the program. */
  readonly error: number;
}

/** What PyTorch is to train. */
interface TorchWork {
  /** Python: takes `probe`, `rate FOLDER THREADS` and `train FOLDER LENGTH THREADS`. */
  readonly program: string;
  /** The folder of the data. */
  readonly data: string;
}

/** PyTorch at its best on this machine. */
export interface Torch {
  readonly says: string;
  /** `length`: epochs or batches, as the program counts. */
  train(length: number, threads: number): Promise<TorchRun>;
  /** Batches a second of a short trial; 0 where that does not end within a minute. */
  rate(threads: number): Promise<number>;
}

/** OpenBLAS older than the processor takes it for one of 2004 unless told otherwise: the fastest core type that runs. */
const CORE_TYPES = [process.env.OPENBLAS_CORETYPE, undefined, "SkylakeX", "Zen", "Haswell"];

/** Which number of threads PyTorch is better with, and a line that says so. */
export async function betterThreads(torch: Torch): Promise<[number, string]> {
  const [one, two] = [await torch.rate(1), await torch.rate(2)];
  const better = one >= two ? 1 : 2;
  const [said, second] = [one, two].map((rate) =>
    rate === 0 ? "not done in a minute" : `${rate.toFixed(1)} batches/s`,
  );
  return [
    better,
    `PyTorch: backpropagation, Adam. In a short trial ${said} with 1 thread, ${second} with 2: ${better} is compared.`,
  ];
}

/** Undefined where `python` cannot import torch. */
export async function findTorch(python: string, { program, data }: TorchWork): Promise<Torch | undefined> {
  const tries = [];
  for (const coreType of new Set(CORE_TYPES))
    tries.push({ coreType, ...(await probe(python, program, coreType)) });
  const [best] = tries
    .flatMap(({ coreType, seconds, version }) => (seconds ? [{ coreType, seconds, version }] : []))
    .toSorted((a, b) => a.seconds - b.seconds);
  if (!best) return undefined;
  const ask = (threads: number, ...args: readonly string[]) =>
    run<TorchRun>(python, best.coreType, threads, [program, ...args, String(threads)]);
  return {
    says: `PyTorch ${best.version}, OPENBLAS_CORETYPE=${best.coreType ?? "(unset)"}: the fastest that runs here`,
    train: (length, threads) => ask(threads, "train", data, String(length)),
    rate: (threads) => rateOf(() => ask(threads, "rate", data)),
  };
}

async function rateOf(tried: () => Promise<TorchRun>): Promise<number> {
  try {
    const found = await tried();
    return found.batches / found.seconds;
  } catch {
    // Two threads that wait for each other on a busy machine may not end in any sensible time.
    return 0;
  }
}

async function probe(
  python: string,
  program: string,
  coreType: string | undefined,
): Promise<{ seconds?: number; version?: string }> {
  try {
    return await run<{ seconds: number; version: string }>(python, coreType, 1, [program, "probe"]);
  } catch {
    // No torch, or a core type that this processor cannot run.
    return {};
  }
}

async function run<Said>(
  python: string,
  coreType: string | undefined,
  threads: number,
  args: readonly string[],
): Promise<Said> {
  const { OPENBLAS_CORETYPE: _, ...rest } = process.env;
  const count = String(threads);
  const env = {
    ...rest,
    OPENBLAS_NUM_THREADS: count,
    OMP_NUM_THREADS: count,
    ...(coreType ? { OPENBLAS_CORETYPE: coreType } : {}),
  };
  const timeout = args[1] === "train" ? 0 : 60_000;
  const { stdout } = await start(python, args, { env, timeout });
  return JSON.parse(stdout) as Said;
}
