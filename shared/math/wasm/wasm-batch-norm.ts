import type { BatchNormArrays, Kernels } from "../kernels.ts";
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
      const { column, all, last } = addressesOf(norm, rows);
      const from = [all(input), all(output), all(norm.normalised)] as const;
      kernels.batchNormForward(...from, column(norm.batchMean), column(norm.batchVariance), ...last);
    },
    batchNormTrack(norm, momentum, rows) {
      const { columns } = norm;
      const { column } = addressesOf(norm, rows);
      const mean = column(norm.batchMean);
      const variance = column(norm.batchVariance);
      // The running variance is the unbiased estimate (algorithm 2, step 10).
      const unbiased = rows / Math.max(1, rows - 1);
      kernels.track(column(norm.runningMean), mean, columns, momentum, 1);
      kernels.track(column(norm.runningVariance), variance, columns, momentum, unbiased);
    },
    batchNormEvaluate(norm, input, output, rows) {
      const { column, all, last } = addressesOf(norm, rows);
      const running = [column(norm.runningMean), column(norm.runningVariance)] as const;
      kernels.batchNormEvaluate(all(input), all(output), ...running, ...last);
    },
    batchNormBackward(norm, outputGradient, inputGradient, rows) {
      const { columns, epsilon } = norm;
      const { column, all } = addressesOf(norm, rows);
      const from = [all(outputGradient), all(inputGradient), all(norm.normalised)] as const;
      const learnt = [column(norm.gammaGradient), column(norm.betaGradient)] as const;
      const [variance, gamma] = [column(norm.batchVariance), column(norm.gamma)];
      kernels.batchNormBackward(...from, variance, gamma, ...learnt, rows, columns, epsilon, scratch);
    },
  };

  /** Of a norm's columns, of all its rows, and what forward and evaluate take last. */
  function addressesOf({ columns, epsilon, gamma, beta }: BatchNormArrays, rows: number) {
    const column = (values: Float32Array) => arena.address(values, columns);
    return {
      column,
      all: (values: Float32Array) => arena.address(values, rows * columns),
      last: [column(gamma), column(beta), rows, columns, epsilon, scratch] as const,
    };
  }
}
