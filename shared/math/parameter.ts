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

export type TensorShape = readonly number[];

/** Beside the arrays, not on them: a property of their own would slow down whatever reads them. */
const shapes = new WeakMap<Float32Array, TensorShape>();

/** A zeroed parameter of this shape, rows first; what the optimizer remembers of it has the same. */
export function parameterOf(kernels: Kernels, shape: TensorShape, optimizer: Optimizer): Parameter {
  const length = shape.reduce((product, size) => product * size, 1);
  const value = kernels.allocate(length);
  const memory = optimizer.init(kernels, length);
  for (const tensor of [value, ...Object.values(memory)]) shapes.set(tensor, shape);
  return { value, gradient: kernels.allocate(length), memory };
}

/** The shapes of those that are no vectors. */
export function shapesOf(tensors: Tensors): Readonly<Record<string, TensorShape>> {
  const entries = Object.entries(tensors).flatMap(([name, tensor]) => {
    const shape = shapes.get(tensor);
    return shape === undefined || shape.length === 1 ? [] : [[name, shape] as const];
  });
  return Object.fromEntries(entries);
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
