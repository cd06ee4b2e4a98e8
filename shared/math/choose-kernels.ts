import type { Kernels } from "./kernels.ts";
import { loadLibrary, type Machine, type NativeLibrary, type Path } from "./native/library.ts";
import { nativeKernels } from "./native-kernels.ts";
import { plainKernels } from "./plain/plain-kernels.ts";
import { fusesProducts, relaxedKernels, wasmKernels } from "./wasm-kernels.ts";

export type KernelsName = "auto" | "native" | "wasm-relaxed" | "wasm" | "plain";

/** What the process lends. UNLOCKED_NATIVE names the path of native kernels, where the best one is not wanted. */
export interface Host extends Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface KernelsChoice {
  readonly kernels: Kernels;
  /** For the log: which set, why, and what was found on the way. */
  readonly found: Readonly<Record<string, string>>;
}

const AS_CONFIGURED = "as configured";

/**
 * The kernel set of this name. `auto` is native where that can be had, else WebAssembly: with relaxed SIMD where that gives
 * the same bits. Throws an Error with what was found where `native` or `wasm-relaxed` is asked for and not to be had.
 */
export function chooseKernels(name: KernelsName, host: Host, load = loadLibrary): KernelsChoice {
  switch (name) {
    case "plain":
      return chosen(plainKernels(), AS_CONFIGURED);
    case "wasm":
      return chosen(wasmKernels(), AS_CONFIGURED);
    case "wasm-relaxed":
      return chosen(relaxedKernels(), AS_CONFIGURED);
    case "native":
      return findNative(AS_CONFIGURED, host, load);
    case "auto":
      return findBest(host, load);
  }
}

function chosen(kernels: Kernels, why: string): KernelsChoice {
  return { kernels, found: { kernels: kernels.name, why } };
}

function findNative(why: string, host: Host, load: typeof loadLibrary): KernelsChoice {
  const library = load(host);
  const path = pathOf(library, host.env.UNLOCKED_NATIVE);
  const kernels = nativeKernels(library, path);
  return { kernels, found: { kernels: kernels.name, why, path, library: library.file } };
}

function pathOf({ paths }: NativeLibrary, asked: string | undefined): Path {
  if (!asked) return paths[0]!;
  const path = paths.find((each) => each === asked);
  if (path) return path;
  throw new Error(
    `Cannot compute natively by UNLOCKED_NATIVE=${asked}: this processor runs ${paths.join(", ")}`,
  );
}

function findBest(host: Host, load: typeof loadLibrary): KernelsChoice {
  try {
    return findNative("the fastest that runs here", host, load);
  } catch (error) {
    return withoutNative((error as Error).message);
  }
}

function withoutNative(why: string): KernelsChoice {
  try {
    const relaxed = relaxedKernels();
    if (fusesProducts(relaxed)) return chosen(relaxed, why);
    return chosen(wasmKernels(), `${why}; relaxed SIMD fuses no products here`);
  } catch (error) {
    return chosen(wasmKernels(), `${why}; ${(error as Error).message}`);
  }
}
