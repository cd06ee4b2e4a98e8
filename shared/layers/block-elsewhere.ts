import type { LayerSpec } from "../dni/layer-options.ts";
import type { Tensors } from "../math/parameter.ts";
import { onnxLayerNorm, onnxProduct, type ShapedTensor, transposed, vector } from "./elsewhere.ts";
import type { OnnxGraph } from "./onnx-graph.ts";

/** Added to the scores of positions that lie ahead: their softmax is 0. */
const UNSEEN = -1e9;

/** A transformer block as ONNX operators, from and to examples × floats. */
export function onnxBlock(graph: OnnxGraph, input: string, layer: LayerSpec, tensors: Tensors): string {
  const [positions, width] = [layer.positions!, layer.outputs / layer.positions!];
  const sequence = graph.reshape(input, [-1, positions, width]);
  const attended = onnxAttention(
    graph,
    onnxLayerNorm(graph, sequence, tensors["attention.gamma"]!),
    layer,
    tensors,
  );
  const middle = graph.add("Add", [sequence, attended]);
  const normed = onnxLayerNorm(graph, middle, tensors["feedForward.gamma"]!);
  const expanded = onnxProduct(graph, normed, tensors["feedForward.expand"]!, 4 * width);
  const fed = onnxProduct(graph, onnxGelu(graph, expanded), tensors["feedForward.contract"]!, width);
  return graph.reshape(graph.add("Add", [middle, fed]), [-1, layer.outputs]);
}

function onnxAttention(graph: OnnxGraph, input: string, layer: LayerSpec, tensors: Tensors): string {
  const [positions, width] = [layer.positions!, layer.outputs / layer.positions!];
  const { heads } = layer.own as { readonly heads: number };
  const size = width / heads;
  const mixed = onnxProduct(graph, input, tensors["attention.mix"]!, 3 * width);
  const parts = graph.reshape(mixed, [-1, positions, 3, heads, size]);
  const [query, key, value] = [0, 1, 2].map((part) => {
    const taken = graph.add("Slice", [
      parts,
      ...[[part], [part + 1], [2]].map((each) => graph.integers(each)),
    ]);
    const one = graph.reshape(taken, [-1, positions, heads, size]);
    // Keys stand on their side, for the product with queries.
    return graph.add("Transpose", [one], { perm: part === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3] });
  }) as [string, string, string];
  const scores = graph.add("MatMul", [query, key]);
  const scaled = graph.add("Mul", [scores, graph.float(1 / Math.sqrt(size))]);
  const masked = graph.add("Add", [scaled, graph.floats(ahead(positions), [positions, positions])]);
  const weights = graph.add("Softmax", [masked], { axis: -1 });
  const context = graph.add("Transpose", [graph.add("MatMul", [weights, value])], { perm: [0, 2, 1, 3] });
  const flat = graph.reshape(context, [-1, positions, width]);
  return onnxProduct(graph, flat, tensors["attention.project"]!, width);
}

/** In row i, `UNSEEN` at each place after i. */
function ahead(positions: number): Float32Array {
  return Float32Array.from({ length: positions * positions }, (_, at) =>
    at % positions > Math.floor(at / positions) ? UNSEEN : 0,
  );
}

/** ½x(1 + tanh(√(2/π)(x + 0.044715 x³))), which has no operator before opset 20. */
function onnxGelu(graph: OnnxGraph, x: string): string {
  const cube = graph.add("Mul", [x, graph.add("Mul", [x, x])]);
  const inner = graph.add("Add", [x, graph.add("Mul", [cube, graph.float(0.044715)])]);
  const bent = graph.add("Tanh", [graph.add("Mul", [inner, graph.float(Math.sqrt(2 / Math.PI))])]);
  const half = graph.add("Mul", [x, graph.float(0.5)]);
  return graph.add("Mul", [half, graph.add("Add", [bent, graph.float(1)])]);
}

/** `attention` has the names of PyTorch's MultiheadAttention, without biases. */
export function torchBlock(layer: LayerSpec, tensors: Tensors): Record<string, ShapedTensor> {
  const width = layer.outputs / layer.positions!;
  return {
    "attention_norm.weight": vector(tensors["attention.gamma"]!),
    "attention.in_proj_weight": transposed(tensors["attention.mix"]!, 3 * width),
    "attention.out_proj.weight": transposed(tensors["attention.project"]!, width),
    "feed_forward_norm.weight": vector(tensors["feedForward.gamma"]!),
    "expand.weight": transposed(tensors["feedForward.expand"]!, 4 * width),
    "contract.weight": transposed(tensors["feedForward.contract"]!, width),
  };
}
