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
      const { columns, epsilon } = norm;
      const { column, all } = addresses(arena, columns, rows);
      const [batchMean, batchVariance] = [column(norm.batchMean), column(norm.batchVariance)];
      const [gamma, beta] = [column(norm.gamma), column(norm.beta)];
      const from = [all(input), all(output), all(norm.normalised)] as const;
      kernels.batchNormForward(
        ...from,
        batchMean,
        batchVariance,
        gamma,
        beta,
        rows,
        columns,
        epsilon,
        scratch,
      );
    },
    batchNormTrack(norm, momentum, rows) {
      const { columns } = norm;
      const { column } = addresses(arena, columns, rows);
      const mean = column(norm.batchMean);
      const variance = column(norm.batchVariance);
      // The running variance is the unbiased estimate (algorithm 2, step 10).
      const unbiased = rows / Math.max(1, rows - 1);
      kernels.track(column(norm.runningMean), mean, columns, momentum, 1);
      kernels.track(column(norm.runningVariance), variance, columns, momentum, unbiased);
    },
    batchNormEvaluate(norm, input, output, rows) {
      const { columns, epsilon } = norm;
      const { column, all } = addresses(arena, columns, rows);
      const running = [column(norm.runningMean), column(norm.runningVariance)] as const;
      const [gamma, beta] = [column(norm.gamma), column(norm.beta)];
      kernels.batchNormEvaluate(
        all(input),
        all(output),
        ...running,
        gamma,
        beta,
        rows,
        columns,
        epsilon,
        scratch,
      );
    },
    batchNormBackward(norm, outputGradient, inputGradient, rows) {
      const { columns, epsilon } = norm;
      const { column, all } = addresses(arena, columns, rows);
      const from = [all(outputGradient), all(inputGradient), all(norm.normalised)] as const;
      const learnt = [column(norm.gammaGradient), column(norm.betaGradient)] as const;
      const [variance, gamma] = [column(norm.batchVariance), column(norm.gamma)];
      kernels.batchNormBackward(...from, variance, gamma, ...learnt, rows, columns, epsilon, scratch);
    },
  };
}

/** Of a norm's columns, and of all its rows. */
function addresses(arena: Arena, columns: number, rows: number) {
  return {
    column: (values: Float32Array) => arena.address(values, columns),
    all: (values: Float32Array) => arena.address(values, rows * columns),
  };
}
