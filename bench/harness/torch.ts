import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const start = promisify(execFile);
const PROBE = fileURLToPath(new URL("probe-torch.py", import.meta.url));

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
  /** Python: takes `rate FOLDER THREADS` and `train FOLDER LENGTH THREADS`. */
  readonly program: string;
  /** The folder of the data. */
  readonly data: string;
}

/** PyTorch at its best on this machine. */
export interface Torch {
  readonly says: string;
  /** `length`: epochs or batches, as the program counts. */
  train(length: number): Promise<TorchRun>;
}

/** OpenBLAS older than the processor takes it for one of 2004 unless told otherwise: the fastest core type that runs. */
const CORE_TYPES = [process.env.OPENBLAS_CORETYPE, undefined, "SkylakeX", "Zen", "Haswell"];

/** No torch where `python` cannot import it; `note`: with how many threads it runs, or why it was left out. */
export async function openTorch(
  python: string,
  { program, data }: TorchWork,
): Promise<{ readonly torch?: Torch; readonly note: string }> {
  const tries = [];
  for (const coreType of new Set(CORE_TYPES)) tries.push({ coreType, ...(await probe(python, coreType)) });
  const [best] = tries
    .flatMap(({ coreType, seconds, version }) => (seconds ? [{ coreType, seconds, version }] : []))
    .toSorted((a, b) => a.seconds - b.seconds);
  if (!best) return { note: `PyTorch was left out: ${python} cannot import torch (set PYTHON).` };
  const ask = (threads: number, ...args: readonly string[]) =>
    run<TorchRun>(python, best.coreType, threads, [program, ...args, String(threads)]);
  const { threads, note } = await betterThreads((count) => rateOf(() => ask(count, "rate", data)));
  const says = `PyTorch ${best.version}, OPENBLAS_CORETYPE=${best.coreType ?? "(unset)"}: the fastest that runs here`;
  return { torch: { says, train: (length) => ask(threads, "train", data, String(length)) }, note };
}

/** `rate`: batches a second of a short trial; 0 where that does not end within a minute. */
async function betterThreads(rate: (threads: number) => Promise<number>) {
  const [one, two] = [await rate(1), await rate(2)];
  const threads = one >= two ? 1 : 2;
  const [said, second] = [one, two].map((each) =>
    each === 0 ? "not done in a minute" : `${each.toFixed(1)} batches/s`,
  );
  const note = `PyTorch: in a short trial ${said} with 1 thread, ${second} with 2: ${threads} is compared.`;
  return { threads, note };
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
  coreType: string | undefined,
): Promise<{ seconds?: number; version?: string }> {
  try {
    return await run<{ seconds: number; version: string }>(python, coreType, 1, [PROBE]);
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
