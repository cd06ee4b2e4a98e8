import type { Tensors } from "./parameter.ts";

/**
 * What a layer computes with weights of its own: dense, or a convolution. Matrices are rows × width, one example a row;
 * returned arrays are the transform's own, with exactly so many floats, valid until the next call of the same method.
 */
export interface Transform {
  /** input → output. Throws a RangeError for more rows than there is room for. */
  forward(input: Float32Array, rows: number): Float32Array;

  /** Takes the batch of the last forward into the running statistics. Apart from forward, so that one can try without. */
  track(rows: number): void;

  /** The output with running statistics; disturbs no forward that waits for its backward. */
  evaluate(input: Float32Array, rows: number): Float32Array;

  /**
   * outputGradient: dL/d(output) of the last forward, per example → dL/d(input), if wanted. Leaves each parameter's
   * gradient, summed over the rows, for `descend`. Goes through the weights as they stand: call it before `descend`.
   * Throws an Error unless the last forward had as many rows.
   */
  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined;

  /**
   * One optimizer step on every parameter, with the mean over the rows of the last backward; `step` counts from 1.
   * `squares`: Σ g² of all that is clipped together, where this is a part of it.
   */
  descend(rate: number, rows: number, step: number, squares?: number): void;

  /** Σ g² of its gradients; 0 where none is clipped. Only where they can be. */
  squares?(): number;

  /** Weights and running statistics: the arrays themselves. */
  tensors(): Tensors;

  /** What the optimizer remembers, as `weight.firstMoment`, …: the arrays themselves. */
  optimizerTensors(): Tensors;
}
