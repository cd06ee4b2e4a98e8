import type { SequenceKernels } from "../sequence-kernels.ts";
import type { Arena } from "./arena.ts";
import type { WasmExports } from "./load.ts";

/** What transformers need of the kernels in WebAssembly; see `wasmKernels`. */
export function wasmSequences(kernels: WasmExports, arena: Arena): SequenceKernels {
  return {
    layerNormForward({ columns, epsilon, gamma, normalised, inverse }, input, output, rows) {
      const length = rows * columns;
      kernels.layerNormForward(
        arena.address(input, length),
        arena.address(output, length),
        arena.address(normalised, length),
        arena.address(inverse, rows),
        arena.address(gamma, columns),
        rows,
        columns,
        epsilon,
      );
    },
    layerNormBackward(norm, outputGradient, inputGradient, rows) {
      const { columns } = norm;
      const length = rows * columns;
      kernels.layerNormBackward(
        arena.address(outputGradient, length),
        arena.address(inputGradient, length),
        arena.address(norm.normalised, length),
        arena.address(norm.inverse, rows),
        arena.address(norm.gamma, columns),
        arena.address(norm.gammaGradient, columns),
        rows,
        columns,
      );
    },
    gelu(input, output, length) {
      kernels.gelu(arena.address(input, length), arena.address(output, length), length);
    },
    geluBackward(input, outputGradient, inputGradient, length) {
      const from = arena.address(outputGradient, length);
      const to = arena.address(inputGradient, length);
      kernels.geluBackward(arena.address(input, length), from, to, length);
    },
    causalSoftmax(scores, positions, scale) {
      kernels.causalSoftmax(arena.address(scores, positions * positions), positions, scale);
    },
    causalSoftmaxBackward(weights, gradient, positions, scale) {
      const square = positions * positions;
      const [given, changed] = [arena.address(weights, square), arena.address(gradient, square)];
      kernels.causalSoftmaxBackward(given, changed, positions, scale);
    },
    swapPieces(from, to, { matrices, rows, columns, length }) {
      const all = matrices * rows * columns * length;
      kernels.swapPieces(arena.address(from, all), arena.address(to, all), matrices, rows, columns, length);
    },
  };
}
