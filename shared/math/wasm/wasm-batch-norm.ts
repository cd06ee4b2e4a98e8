import type { Kernels } from "../kernels.ts";
import type { Arena } from "./arena.ts";
import type { WasmExports } from "./load.ts";

/** Batch norm of the kernels in WebAssembly; see `wasmKernels`. */
export function wasmBatchNorm(
  kernels: WasmExports,
  arena: Arena,
  scratch: number,
): Pick<Kernels, "batchNormForward" | "batchNormTrack" | "batchNormEvaluate" | "batchNormBackward"> {
  return {
    batchNormForward(norm, input, output, rows) {
      const { columns } = norm;
      kernels.batchNormForward(
        arena.address(input, rows * columns),
        arena.address(output, rows * columns),
        arena.address(norm.normalised, rows * columns),
        arena.address(norm.batchMean, columns),
        arena.address(norm.batchVariance, columns),
        arena.address(norm.gamma, columns),
        arena.address(norm.beta, columns),
        rows,
        columns,
        norm.epsilon,
        scratch,
      );
    },
    batchNormTrack(norm, momentum, rows) {
      const { columns } = norm;
      const mean = arena.address(norm.batchMean, columns);
      const variance = arena.address(norm.batchVariance, columns);
      // The running variance is the unbiased estimate (algorithm 2, step 10).
      const unbiased = rows / Math.max(1, rows - 1);
      kernels.track(arena.address(norm.runningMean, columns), mean, columns, momentum, 1);
      kernels.track(arena.address(norm.runningVariance, columns), variance, columns, momentum, unbiased);
    },
    batchNormEvaluate(norm, input, output, rows) {
      const { columns } = norm;
      kernels.batchNormEvaluate(
        arena.address(input, rows * columns),
        arena.address(output, rows * columns),
        arena.address(norm.runningMean, columns),
        arena.address(norm.runningVariance, columns),
        arena.address(norm.gamma, columns),
        arena.address(norm.beta, columns),
        rows,
        columns,
        norm.epsilon,
        scratch,
      );
    },
    batchNormBackward(norm, outputGradient, inputGradient, rows) {
      const { columns } = norm;
      kernels.batchNormBackward(
        arena.address(outputGradient, rows * columns),
        arena.address(inputGradient, rows * columns),
        arena.address(norm.normalised, rows * columns),
        arena.address(norm.batchVariance, columns),
        arena.address(norm.gamma, columns),
        arena.address(norm.gammaGradient, columns),
        arena.address(norm.betaGradient, columns),
        rows,
        columns,
        norm.epsilon,
        scratch,
      );
    },
  };
}
