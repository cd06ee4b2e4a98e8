import { readFileSync } from "node:fs";

/** What the module exports (see assembly/index.ts): addresses are bytes, lengths floats, numbers become f32. */
export interface WasmExports {
  readonly scratchLength: { readonly value: number };
  readonly multiply: WasmFunction;
  readonly addBias: WasmFunction;
  readonly sumRows: WasmFunction;
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
  readonly dot: WasmFunction;
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
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const PAGES_PER_MEGABYTE = 16;

let compiled: object | undefined;

/**
 * Instantiates the kernels, synchronously, on a memory of their own. The memory is as large from the start as it
 * ever will be: growing it would detach every array in it. Pages that nobody touches cost only addresses.
 */
export function loadKernels(megabytes: number): { buffer: ArrayBuffer; kernels: WasmExports } {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
  const pages = megabytes * PAGES_PER_MEGABYTE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return { buffer: memory.buffer, kernels: instance.exports as WasmExports };
}
