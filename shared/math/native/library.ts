import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type Koffi from "koffi";

/** The sets of instructions that kernels are compiled for. */
const PATHS = ["avx512", "avx2", "neon"] as const;

export type Path = (typeof PATHS)[number];

/** The machine as Node calls it. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/** A call of a kernel: the address of its record, see lanes.h. */
export type Call = (record: number) => void;

/** The library of this machine, loaded into this process. */
export interface NativeLibrary {
  /** Its file's name. */
  readonly file: string;
  /** What this processor and its system can run, best first; not empty. */
  readonly paths: readonly Path[];
  readonly call: (path: Path, kernel: string) => Call;
  /** Where the bytes of a buffer lie; valid as long as somebody holds the buffer and nobody detaches it. */
  readonly addressOf: (buffer: ArrayBuffer) => number;
}

const LIBRARIES: Readonly<Record<string, string>> = {
  "linux x64": "linux-x64.so",
  "linux arm64": "linux-arm64.so",
  "darwin x64": "darwin-x64.dylib",
  "darwin arm64": "darwin-arm64.dylib",
  "win32 x64": "win32-x64.dll",
};

/** By what `processor` in processor.c says. */
const RUNS: readonly (readonly Path[])[] = [[], ["avx2"], ["avx512", "avx2"], ["neon"]];

/** Throws an Error where there is no library for the machine, or it cannot be loaded, or has no path for the processor. */
export function loadLibrary({ platform, arch }: Machine): NativeLibrary {
  const file = LIBRARIES[`${platform} ${arch}`];
  if (!file) throw new Error(`Cannot compute natively: there are no kernels for ${platform} on ${arch}`);
  const koffi = loadKoffi();
  const handle = loadFile(koffi, fileURLToPath(new URL(`./prebuilt/${file}`, import.meta.url)));
  const paths = RUNS[handle.func("processor", "int", [])() as number]!;
  if (paths.length === 0)
    throw new Error("Cannot compute natively: this processor, or its system, has no AVX2 with FMA");
  return {
    file,
    paths,
    call: (path, kernel) => handle.func(`${path}_${kernel}`, "void", ["uintptr_t"]) as Call,
    addressOf: (buffer) => Number(koffi.address(new Uint8Array(buffer))),
  };
}

/** An optional dependency: where there is no build of it, all but native kernels works. */
function loadKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)("koffi");
  } catch (error) {
    throw new Error(`Cannot compute natively: the package koffi cannot be loaded (${firstLine(error)})`);
  }
}

function loadFile(koffi: typeof Koffi, file: string) {
  try {
    return koffi.load(file);
  } catch (error) {
    throw new Error(`Cannot compute natively: ${file} cannot be loaded (${firstLine(error)})`);
  }
}

function firstLine(error: unknown): string {
  return (error as Error).message.split("\n")[0]!;
}
