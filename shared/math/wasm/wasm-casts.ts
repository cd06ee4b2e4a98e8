import type { Casts } from "../kernels.ts";
import type { Arena } from "./arena.ts";
import type { WasmExports } from "./load.ts";

/** The casts of the kernels in WebAssembly; see `wasmKernels`. */
export function wasmCasts(kernels: WasmExports, arena: Arena): Casts {
  return {
    allocateBytes: (length) => arena.allocateBytes(length),
    narrow(type, values, bytes, scales, rows, columns) {
      const length = rows * columns;
      const from = arena.address(values, length);
      if (type === "i8") {
        const to = arena.address(bytes, length);
        kernels.floatsToInts(from, to, arena.address(scales, rows), rows, columns);
      } else {
        const cast = type === "f16" ? kernels.floatsToHalves : kernels.floatsToBfloats;
        cast(from, arena.address(bytes, 2 * length), length);
      }
    },
    widen(type, bytes, scales, values, rows, columns) {
      const length = rows * columns;
      const to = arena.address(values, length);
      if (type === "i8") {
        const from = arena.address(bytes, length);
        kernels.intsToFloats(from, arena.address(scales, rows), to, rows, columns);
      } else {
        const cast = type === "f16" ? kernels.halvesToFloats : kernels.bfloatsToFloats;
        cast(arena.address(bytes, 2 * length), to, length);
      }
    },
    scaleBytes(bytes, scale, values, length) {
      kernels.bytesToFloats(arena.address(bytes, length), scale, arena.address(values, length), length);
    },
  };
}
