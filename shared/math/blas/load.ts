import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type Koffi from "koffi";
import { type Environment, librariesOf, prepareEnvironment } from "./surroundings.ts";

/** A C library of BLAS, loaded into this process. */
export interface Blas {
  /** The name it was found by. */
  readonly library: string;
  /** Which of its kernels OpenBLAS took for this processor; "unknown" of other libraries. */
  readonly core: string;
  /** cblas_sgemm: order, transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc; a, b, c are addresses. */
  readonly sgemm: (...parameters: number[]) => void;
  /** Where the bytes of a buffer lie; valid as long as somebody holds the buffer and nobody detaches it. */
  readonly addressOf: (buffer: ArrayBuffer) => number;
}

/** What the process lends. `env` must be the real one: C libraries read it when they are loaded. */
export interface Host {
  readonly env: Environment;
  readonly platform: string;
}

/**
 * Loads the first BLAS that is there, with one thread, and kernels that suit the processor unless the environment says
 * otherwise. Throws an Error that says what was tried.
 */
export function loadBlas({ env, platform }: Host): Blas {
  const koffi = loadKoffi();
  prepareEnvironment(env, processorFlags());
  const failures: string[] = [];
  for (const library of librariesOf(platform, env)) {
    try {
      return bind(koffi, library);
    } catch (error) {
      failures.push(`${library} (${firstLine(error)})`);
    }
  }
  throw new Error(
    `Cannot compute with BLAS: tried ${failures.join(", ") || `nothing, ${platform} is not known`}; ` +
      "install OpenBLAS, or set UNLOCKED_BLAS to a library with cblas_sgemm",
  );
}

/** An optional dependency: where there is no build of it, all but BLAS works. */
function loadKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)("koffi");
  } catch (error) {
    throw new Error(`Cannot compute with BLAS: the package koffi cannot be loaded (${firstLine(error)})`);
  }
}

function bind(koffi: typeof Koffi, library: string): Blas {
  const handle = koffi.load(library);
  // Addresses as numbers: to pass a view costs a look into it for each of the three, at each call.
  const matrix = ["uintptr_t", "int"];
  const parameters = [...Array(6).fill("int"), "float", ...matrix, ...matrix, "float", ...matrix];
  const sgemm = handle.func("cblas_sgemm", "void", parameters) as Blas["sgemm"];
  optional(() => handle.func("openblas_set_num_threads", "void", ["int"])(1));
  const core = optional(() => handle.func("openblas_get_corename", "str", [])() as string) ?? "unknown";
  return { library, core, sgemm, addressOf: (buffer) => Number(koffi.address(new Uint8Array(buffer))) };
}

/** Nothing where the library has no such function. */
function optional<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** As Linux words them; empty elsewhere. */
function processorFlags(): string {
  const processors = optional(() => readFileSync("/proc/cpuinfo", "utf8")) ?? "";
  return /^flags\s*:(.*)$/m.exec(processors)?.[1] ?? "";
}

function firstLine(error: unknown): string {
  return (error as Error).message.split("\n")[0]!;
}
