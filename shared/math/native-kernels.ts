import type { Kernels } from "./kernels.ts";
import type { NativeLibrary, Path } from "./native/library.ts";
import type { Arena } from "./wasm/arena.ts";
import type { WasmExports } from "./wasm/load.ts";
import { type ArenaOptions, kernelsInArena } from "./wasm-kernels.ts";

/** What is computed natively: what that makes faster in a layer's step. Each gives the bits of the WebAssembly with FMA. */
const NATIVE = [
  "multiply",
  "addBias",
  "sumRows",
  "subtract",
  "relu",
  "sigmoid",
  "tanh",
  "reluBackward",
  "sigmoidBackward",
  "tanhBackward",
  "batchNormForward",
  "batchNormBackward",
  "adam",
  "sgd",
  "isWithin",
  "floatsToHalves",
  "halvesToFloats",
  "floatsToBfloats",
  "bfloatsToFloats",
  "floatsToInts",
  "intsToFloats",
  "bytesToFloats",
] as const satisfies readonly (keyof WasmExports)[];

/** Doubles of a record, and the place of its own address; as in lanes.h. */
const RECORD = 16;
const OWN_ADDRESS = 15;

/**
 * The WebAssembly kernels, but those of `NATIVE` compiled for this path of the library, in the same arena. Every path gives
 * the same bits, on every processor. Throws as `wasmKernels` does.
 */
export function nativeKernels(library: NativeLibrary, path: Path, options: ArenaOptions = {}): Kernels {
  const native = kernelsInArena(options, "deterministic", (arena) => exportsOf(library, path, arena));
  return { ...native, name: "native" };
}

function exportsOf(library: NativeLibrary, path: Path, arena: Arena): Partial<WasmExports> {
  const { byteOffset } = arena.allocate(2 * RECORD);
  const record = new Float64Array(arena.buffer, byteOffset, RECORD);
  record[OWN_ADDRESS] = byteOffset;
  const address = library.addressOf(arena.buffer) + byteOffset;
  const kernelOf = (name: string) => callWith(record, address, library.call(path, name));
  const kernels = Object.fromEntries(NATIVE.map((name) => [name, kernelOf(name)]));
  return { ...kernels, scratchLength: { value: kernelOf("scratchLength")() } };
}

/** Parameters go through memory: to hand over one number takes a third of the time that ten take. */
function callWith(record: Float64Array, address: number, call: (record: number) => void) {
  return (a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0): number => {
    record[0] = a;
    record[1] = b;
    record[2] = c;
    record[3] = d;
    record[4] = e;
    record[5] = f;
    record[6] = g;
    record[7] = h;
    record[8] = i;
    record[9] = j;
    record[10] = k;
    call(address);
    return record[0];
  };
}
