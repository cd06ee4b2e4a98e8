import type { Kernels } from "./kernels.ts";
import type { Optimizer, OptimizerState, OptimizerStep } from "./optimizer.ts";

/** An array that learns. */
export interface Parameter {
  readonly value: Float32Array;
  /** dL/d(value) of the last backward, summed over its rows. */
  readonly gradient: Float32Array;
  readonly memory: OptimizerState;
}

export type Parameters = Readonly<Record<string, Parameter>>;

export type Tensors = Readonly<Record<string, Float32Array>>;

/** A zeroed parameter of `length` floats. */
export function parameterOf(kernels: Kernels, length: number, optimizer: Optimizer): Parameter {
  return {
    value: kernels.allocate(length),
    gradient: kernels.allocate(length),
    memory: optimizer.init(kernels, length),
  };
}

/** One step of `optimizer` on every parameter, against its gradient. */
export function descendAll(
  kernels: Kernels,
  optimizer: Optimizer,
  parameters: readonly Parameter[],
  step: OptimizerStep,
): void {
  for (const { value, gradient, memory } of parameters) {
    optimizer.update(kernels, value, gradient, memory, step);
  }
}

/** What the optimizers of these parameters remember, as `weight.firstMoment`, …: the arrays themselves. */
export function memoriesOf(parameters: Parameters): Tensors {
  const memories: Record<string, Float32Array> = {};
  for (const [name, { memory }] of Object.entries(parameters)) {
    for (const [part, tensor] of Object.entries(memory)) memories[`${name}.${part}`] = tensor;
  }
  return memories;
}
