import type { LayerSpec } from "../dni/layer-options.ts";
import type { TensorShape, Tensors } from "../math/parameter.ts";
import type { OnnxGraph } from "./onnx-graph.ts";

/** A tensor as other programs have it. */
export interface ShapedTensor {
  readonly shape: TensorShape;
  readonly values: Float32Array;
}

const ONNX_NAMES = { identity: undefined, relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" } as const;

/** Batch normalisation with running statistics where there is one, of the second axis, then the nonlinearity. */
export function onnxActivated(
  graph: OnnxGraph,
  affine: string,
  { nonlinearity }: LayerSpec,
  { gamma, beta, runningMean, runningVariance }: Tensors,
): string {
  const constants = () => [gamma!, beta!, runningMean!, runningVariance!].map((each) => graph.floats(each));
  const normed =
    gamma === undefined
      ? affine
      : graph.add("BatchNormalization", [affine, ...constants()], { epsilon: { float: 1e-5 } });
  const name = ONNX_NAMES[nonlinearity];
  return name === undefined ? normed : graph.add(name, [normed]);
}

/** Layer normalisation of the last axis, with a gain and no shift. */
export function onnxLayerNorm(graph: OnnxGraph, input: string, gamma: Float32Array): string {
  return graph.add("LayerNormalization", [input, graph.floats(gamma)], {
    axis: -1,
    epsilon: { float: 1e-5 },
  });
}

/** input · weight, for `columns` columns. */
export function onnxProduct(graph: OnnxGraph, input: string, weight: Float32Array, columns: number): string {
  return graph.add("MatMul", [input, graph.floats(weight, [weight.length / columns, columns])]);
}

/** What a layer ends in, under PyTorch's names: the bias of `linear` (say), or a norm. */
export function torchActivated(
  affine: string,
  { bias, gamma, beta, runningMean, runningVariance }: Tensors,
): Record<string, ShapedTensor> {
  if (gamma === undefined) return { [`${affine}.bias`]: vector(bias!) };
  return {
    "norm.weight": vector(gamma),
    "norm.bias": vector(beta!),
    "norm.running_mean": vector(runningMean!),
    "norm.running_var": vector(runningVariance!),
  };
}

export function vector(values: Float32Array): ShapedTensor {
  return { shape: [values.length], values };
}

/** The weight of a product, inputs × outputs, as PyTorch's Linear has it: outputs × inputs. */
export function transposed(weight: Float32Array, outputs: number): ShapedTensor {
  return permuted({ shape: [weight.length / outputs, outputs], values: weight }, [1, 0]);
}

/** Axis n of the result is axis `order[n]` of the tensor. */
export function permuted({ shape, values }: ShapedTensor, order: readonly number[]): ShapedTensor {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const to = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  const place = to.map(() => 0);
  for (let at = 0, from = 0; at < result.length; at++) {
    result[at] = values[from]!;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < to[axis]!) break;
      from -= steps[axis]! * to[axis]!;
      place[axis] = 0;
    }
  }
  return { shape: to, values: result };
}
