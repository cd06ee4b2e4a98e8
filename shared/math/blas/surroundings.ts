/** A process's environment variables. */
export type Environment = Record<string, string | undefined>;

const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  // Debian and Ubuntu, Alpine; Fedora; where only what developers install is there.
  linux: ["libopenblas.so.0", "libopenblas.so.3", "libopenblasp.so.0", "libopenblas.so"],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
  ],
  win32: ["libopenblas.dll"],
};

/** Where BLAS may be found, best first: what UNLOCKED_BLAS names and nothing else, or the platform's usual places. */
export function librariesOf(platform: string, env: Environment): readonly string[] {
  return env.UNLOCKED_BLAS ? [env.UNLOCKED_BLAS] : (LIBRARIES[platform] ?? []);
}

/**
 * Sets what a BLAS reads when it is loaded, where nobody has set it. One thread: the layers of a network are processes,
 * and share the cores already. The core type: OpenBLAS before 0.3.25 runs kernels of 2004 on processors that it does
 * not know by name (OpenMathLib/OpenBLAS#4267), five times slower than what their flags allow.
 */
export function prepareEnvironment(env: Environment, processorFlags: string): void {
  env.OPENBLAS_NUM_THREADS ??= "1";
  env.VECLIB_MAXIMUM_THREADS ??= "1";
  const core = coreTypeFor(processorFlags);
  if (core) env.OPENBLAS_CORETYPE ??= core;
}

/** The kernels of OpenBLAS for a processor with these flags; undefined where its own guess is as good. */
export function coreTypeFor(processorFlags: string): "SkylakeX" | "Haswell" | undefined {
  const flags = new Set(processorFlags.trim().split(/\s+/));
  const hasAll = (...names: string[]) => names.every((name) => flags.has(name));
  if (hasAll("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")) return "SkylakeX";
  return hasAll("avx2", "fma") ? "Haswell" : undefined;
}
