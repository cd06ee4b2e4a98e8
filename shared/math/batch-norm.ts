import type { BatchNormArrays, Kernels } from "./kernels.ts";
import type { Optimizer } from "./optimizer.ts";
import { type Parameter, parameterOf } from "./parameter.ts";

/** Ioffe & Szegedy 2015. */
export interface BatchNorm {
  readonly gamma: Parameter;
  readonly beta: Parameter;
  /** What the kernels work on; shares gamma, beta and their gradients with the parameters. */
  readonly arrays: BatchNormArrays;
}

/** Of the running statistics: how much one batch counts. */
export const RUNNING_MOMENTUM = 0.1;

/** Normalises `columns` units over batches of at most `maxRows`; starts as the identity. */
export function batchNormOf(
  kernels: Kernels,
  columns: number,
  maxRows: number,
  optimizer: Optimizer,
): BatchNorm {
  const gamma = parameterOf(kernels, [columns], optimizer);
  const beta = parameterOf(kernels, [columns], optimizer);
  gamma.value.fill(1);
  const arrays: BatchNormArrays = {
    columns,
    epsilon: 1e-5,
    gamma: gamma.value,
    beta: beta.value,
    gammaGradient: gamma.gradient,
    betaGradient: beta.gradient,
    runningMean: kernels.allocate(columns),
    runningVariance: kernels.allocate(columns).fill(1),
    batchMean: kernels.allocate(columns),
    batchVariance: kernels.allocate(columns),
    normalised: kernels.allocate(maxRows * columns),
  };
  return { gamma, beta, arrays };
}
