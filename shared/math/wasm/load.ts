import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

/** What the module exports (see assembly/index.ts): addresses are bytes, lengths floats, numbers become f32. */
export interface WasmExports {
  readonly scratchLength: { readonly value: number };
  readonly multiply: WasmFunction;
  readonly addBias: WasmFunction;
  readonly sumRows: WasmFunction;
  readonly add: WasmFunction;
  readonly subtract: WasmFunction;
  readonly copy: WasmFunction;
  readonly relu: WasmFunction;
  readonly sigmoid: WasmFunction;
  readonly tanh: WasmFunction;
  readonly reluBackward: WasmFunction;
  readonly sigmoidBackward: WasmFunction;
  readonly tanhBackward: WasmFunction;
  readonly batchNormForward: WasmFunction;
  readonly batchNormEvaluate: WasmFunction;
  readonly batchNormBackward: WasmFunction;
  readonly track: WasmFunction;
  readonly softmaxCrossEntropy: WasmFunction;
  readonly sigmoidCrossEntropy: WasmFunction;
  readonly squaredError: WasmFunction;
  readonly adam: WasmFunction;
  readonly sgd: WasmFunction;
  readonly layerNormForward: WasmFunction;
  readonly layerNormBackward: WasmFunction;
  readonly gelu: WasmFunction;
  readonly geluBackward: WasmFunction;
  readonly causalSoftmax: WasmFunction;
  readonly causalSoftmaxBackward: WasmFunction;
  readonly swapPieces: WasmFunction;
  readonly unfold: WasmFunction;
  readonly fold: WasmFunction;
  readonly scale: WasmFunction;
  readonly dot: WasmFunction;
  readonly compare: WasmFunction;
  readonly isWithin: WasmFunction;
  readonly floatsToHalves: WasmFunction;
  readonly halvesToFloats: WasmFunction;
  readonly floatsToBfloats: WasmFunction;
  readonly bfloatsToFloats: WasmFunction;
  readonly floatsToInts: WasmFunction;
  readonly intsToFloats: WasmFunction;
  readonly bytesToFloats: WasmFunction;
}

type WasmFunction = (...parameters: number[]) => number;

// The little of the global that is used here; its types otherwise come only with those of a browser.
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const PAGES_PER_MEGABYTE = 16;

/** Of the same sources: `relaxed` may round a product and its addition once, see `addProduct` in assembly/lanes.ts. */
export type Build = "deterministic" | "relaxed";

const compiled = new Map<Build, object>();

/**
 * Instantiates the kernels, synchronously, on a memory of their own. The memory is as large from the start as it
 * ever will be: growing it would detach every array in it. Pages that nobody touches cost only addresses. Throws an
 * Error where `relaxed` is asked for and the runtime does not take its instructions.
 */
export function loadKernels(megabytes: number, build: Build): { buffer: ArrayBuffer; kernels: WasmExports } {
  const module = compiled.get(build) ?? compile(build);
  compiled.set(build, module);
  const pages = megabytes * PAGES_PER_MEGABYTE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return { buffer: memory.buffer, kernels: instance.exports as WasmExports };
}

function compile(build: Build): object {
  return build === "relaxed"
    ? compileRelaxed(readFileSync(new URL("./kernels-relaxed.wasm", import.meta.url)))
    : new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
}

/** Node 20 has relaxed SIMD behind a flag, which lets in these instructions and changes nothing else; Node 22 needs none. */
function compileRelaxed(bytes: Uint8Array): object {
  if (!WebAssembly.validate(bytes)) setFlagsFromString("--experimental-wasm-relaxed-simd");
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new Error(
      `Cannot compute with relaxed SIMD: this runtime or processor does not take it (${(error as Error).message}); ` +
        "set compute.kernels to wasm",
    );
  }
}
