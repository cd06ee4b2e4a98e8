import type { Kernels } from "../kernels.ts";
import type { Optimizer } from "../optimizer.ts";
import { type Parameter, parameterOf } from "../parameter.ts";
import type { LayerNormArrays } from "../sequence-kernels.ts";

const EPSILON = 1e-5;

/** The only parameter of layer normalisation as it is here: it has no shift, and no running statistics. */
export function gainOf(kernels: Kernels, columns: number, optimizer: Optimizer): Parameter {
  const gain = parameterOf(kernels, [columns], optimizer);
  gain.value.fill(1);
  return gain;
}

/** Room for what a forward pass of at most `rows` rows leaves for its backward. */
export function normTrace(kernels: Kernels, gain: Parameter, rows: number): LayerNormArrays {
  const columns = gain.value.length;
  return {
    columns,
    epsilon: EPSILON,
    gamma: gain.value,
    gammaGradient: gain.gradient,
    normalised: kernels.allocate(rows * columns),
    inverse: kernels.allocate(rows),
  };
}
