import type { Kernels } from "./kernels.ts";
import type { Call, NativeLibrary, Path } from "./native/library.ts";
import type { Arena } from "./wasm/arena.ts";
import type { WasmExports } from "./wasm/load.ts";
import { type ArenaOptions, fusesProducts, kernelsInArena, relaxedKernels } from "./wasm-kernels.ts";

type KernelName = Exclude<keyof WasmExports, "scratchLength">;

/** Doubles of a record; as in lanes.h. */
const RECORD = 16;
const OWN_ADDRESS = 15;
/** Holds 1. */
const ONE = 14;

/**
 * What is computed natively, since that makes a layer's step faster: where the product of these parameters is at least so
 * much, since a call costs more than one of WebAssembly. Each gives the bits of the WebAssembly with fused products.
 */
const NATIVE = {
  multiply: [3, 4, 5, 4096],
  addBias: [2, 3, ONE, 1024],
  sumRows: [2, 3, ONE, 512],
  add: [3, ONE, ONE, 2048],
  subtract: [3, ONE, ONE, 2048],
  relu: [2, ONE, ONE, 2048],
  sigmoid: [2, ONE, ONE, 128],
  tanh: [2, ONE, ONE, 128],
  reluBackward: [3, ONE, ONE, 1024],
  sigmoidBackward: [3, ONE, ONE, 1024],
  tanhBackward: [3, ONE, ONE, 1024],
  batchNormForward: [7, 8, ONE, 256],
  batchNormBackward: [7, 8, ONE, 256],
  softmaxCrossEntropy: [4, ONE, ONE, 32],
  compare: [3, ONE, ONE, 256],
  scale: [2, ONE, ONE, 2048],
  adam: [4, ONE, ONE, 2048],
  sgd: [3, ONE, ONE, 2048],
  layerNormForward: [5, 6, ONE, 256],
  layerNormBackward: [6, 7, ONE, 256],
  gelu: [2, ONE, ONE, 128],
  geluBackward: [3, ONE, ONE, 128],
  causalSoftmax: [1, 1, ONE, 128],
  causalSoftmaxBackward: [2, 2, ONE, 128],
  swapPieces: [2, 3, 4, 128],
  isWithin: [1, ONE, ONE, 512],
  floatsToHalves: [2, ONE, ONE, 256],
  halvesToFloats: [2, ONE, ONE, 256],
  floatsToBfloats: [2, ONE, ONE, 256],
  bfloatsToFloats: [2, ONE, ONE, 256],
  floatsToInts: [3, 4, ONE, 256],
  intsToFloats: [3, 4, ONE, 512],
  bytesToFloats: [3, ONE, ONE, 256],
} as const satisfies Partial<Record<KernelName, readonly [number, number, number, number]>>;

/**
 * The WebAssembly kernels, but those of `NATIVE` compiled for this path of the library, in the same arena. Every path gives
 * the same bits, on every processor. Throws as `wasmKernels` does.
 */
export function nativeKernels(library: NativeLibrary, path: Path, options: ArenaOptions = {}): Kernels {
  const fuses = canFuse();
  const build = fuses ? "relaxed" : "deterministic";
  const instead = (arena: Arena, wasm: WasmExports) => exportsOf(library, path, arena, wasm, fuses);
  return { ...kernelsInArena(options, build, instead), name: "native" };
}

/** Small products by WebAssembly only where it has the bits of the large ones. */
function canFuse(): boolean {
  try {
    return fusesProducts(relaxedKernels({ megabytes: 2 }));
  } catch {
    return false;
  }
}

function exportsOf(
  library: NativeLibrary,
  path: Path,
  arena: Arena,
  wasm: WasmExports,
  fuses: boolean,
): Partial<WasmExports> {
  const { byteOffset } = arena.allocate(2 * RECORD);
  const record = new Float64Array(arena.buffer, byteOffset, RECORD);
  record[OWN_ADDRESS] = byteOffset;
  record[ONE] = 1;
  const address = library.addressOf(arena.buffer) + byteOffset;
  const kernels = Object.entries(NATIVE).map(([name, [i, j, k, least]]) => {
    const from = name === "multiply" && !fuses ? 0 : least;
    const call = library.call(path, name);
    return [name, callWith(record, address, call, wasm[name as KernelName], [i, j, k, from])];
  });
  library.call(path, "scratchLength")(address);
  return {
    ...Object.fromEntries(kernels),
    scratchLength: { value: Math.max(record[0]!, wasm.scratchLength.value) },
  };
}

/** Parameters go through memory: to hand over one number takes a third of the time that ten take. */
function callWith(
  record: Float64Array,
  address: number,
  call: Call,
  wasm: (...parameters: number[]) => number,
  [x, y, z, least]: readonly [number, number, number, number],
) {
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
    if (record[x]! * record[y]! * record[z]! < least) return wasm(a, b, c, d, e, f, g, h, i, j, k);
    call(address);
    return record[0];
  };
}
