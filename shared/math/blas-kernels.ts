import type { Blas } from "./blas/load.ts";
import type { Kernels, MultiplyOptions } from "./kernels.ts";
import { type ArenaOptions, wasmKernelsOn } from "./wasm-kernels.ts";

/** Below so many multiplications the call into C costs more than it saves. By shape alone, so that runs can be repeated. */
const LEAST_PRODUCTS = 2048;

const ROW_MAJOR = 101;
const AS_IT_LIES = 111;
const TRANSPOSED = 112;

const AS_THEY_LIE: MultiplyOptions = {};

/**
 * The WebAssembly kernels, but large products are computed by the system's BLAS, in the same arena. The same bits on
 * the same machine with the same library and core type; not on another. Throws as `wasmKernels` does.
 */
export function blasKernels(blas: Blas, options: ArenaOptions = {}): Kernels {
  const { kernels: wasm, arena } = wasmKernelsOn(options);
  const { sgemm } = blas;
  const start = blas.addressOf(arena.buffer);
  return {
    ...wasm,
    name: "blas",
    multiply(a, b, c, shape, manner = AS_THEY_LIE) {
      const { rows, inner, columns } = shape;
      if (rows * inner * columns < LEAST_PRODUCTS) {
        wasm.multiply(a, b, c, shape, manner);
        return;
      }
      const { transposeA, transposeB, accumulate } = manner;
      sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : AS_IT_LIES,
        transposeB ? TRANSPOSED : AS_IT_LIES,
        rows,
        columns,
        inner,
        1,
        start + arena.address(a, rows * inner),
        transposeA ? rows : inner,
        start + arena.address(b, inner * columns),
        transposeB ? inner : columns,
        accumulate ? 1 : 0,
        start + arena.address(c, rows * columns),
        columns,
      );
    },
  };
}
