import { type Blas, type Host as BlasHost, loadBlas } from "./blas/load.ts";
import { blasKernels } from "./blas-kernels.ts";
import type { Kernels } from "./kernels.ts";
import { plainKernels } from "./plain-kernels.ts";
import { type Trial, tryOut } from "./try-out.ts";
import { relaxedKernels, wasmKernels } from "./wasm-kernels.ts";

export type KernelsName = "auto" | "wasm" | "wasm-relaxed" | "blas" | "plain";

/** What the process lends. */
export interface Host extends BlasHost {
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

export interface KernelsChoice {
  readonly kernels: Kernels;
  /** For the log: which set, why, and what was found on the way. */
  readonly found: Readonly<Record<string, string | number>>;
}

/** Largest difference between two products, relative to Σ|a||b|: what rounding explains is ten times smaller. */
const TOLERANCE = 1e-5;
/** Of its own, so that a trial leaves nothing behind. */
const TRIAL_ARENA = { megabytes: 2 };

/**
 * The kernel set of this name. `auto` is BLAS where there is one, it computes what the WebAssembly does, and is
 * faster; WebAssembly otherwise. Throws an Error with what was found where `blas` or `wasm-relaxed` is asked for and not
 * to be had.
 */
export function chooseKernels(name: KernelsName, host: Host, load = loadBlas): KernelsChoice {
  switch (name) {
    case "plain":
      return { kernels: plainKernels(), found: { kernels: "plain", why: "as configured" } };
    case "wasm":
      return { kernels: wasmKernels(), found: { kernels: "wasm", why: "as configured" } };
    case "wasm-relaxed":
      return { kernels: relaxedKernels(), found: { kernels: "wasm-relaxed", why: "as configured" } };
    case "blas": {
      const { blas, facts } = findBlas(host, load);
      return { kernels: blasKernels(blas), found: { kernels: "blas", why: "as configured", ...facts } };
    }
    case "auto":
      return chooseFaster(host, load);
  }
}

function chooseFaster(host: Host, load: typeof loadBlas): KernelsChoice {
  try {
    const { blas, trial, facts } = findBlas(host, load);
    return trial.candidateMs < trial.provenMs
      ? { kernels: blasKernels(blas), found: { kernels: "blas", why: "faster", ...facts } }
      : { kernels: wasmKernels(), found: { kernels: "wasm", why: "faster", ...facts } };
  } catch (error) {
    return { kernels: wasmKernels(), found: { kernels: "wasm", why: (error as Error).message } };
  }
}

/** Throws where there is no BLAS, or one that is wrong. */
function findBlas(
  host: Host,
  load: typeof loadBlas,
): { blas: Blas; trial: Trial; facts: KernelsChoice["found"] } {
  const blas = load(host);
  const [candidate, proven] = [blasKernels(blas, TRIAL_ARENA), wasmKernels(TRIAL_ARENA)];
  const trial = tryOut(candidate, proven, host.now);
  const { library, core } = blas;
  // Not `error > TOLERANCE`, which is false for NaN.
  if (!(trial.error <= TOLERANCE)) {
    throw new Error(
      `Cannot compute with BLAS: a product of ${library} (${core}) is wrong by ${trial.error} of Σ|a||b|`,
    );
  }
  const facts = { library, core, blasMs: rounded(trial.candidateMs), wasmMs: rounded(trial.provenMs) };
  return { blas, trial, facts };
}

/** Clocks count no finer than microseconds. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
