import type { Kernels } from "./kernels.ts";
import { plainKernels } from "./plain-kernels.ts";
import { wasmKernels } from "./wasm-kernels.ts";

/** The kernel set of this name, with room for what a layer of these sizes needs. */
export function chooseKernels(name: "plain" | "wasm"): Kernels {
  return name === "wasm" ? wasmKernels() : plainKernels();
}
