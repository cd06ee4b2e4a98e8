import type { LayerNormArrays } from "../../../shared/math/sequence-kernels.ts";
import type { Case } from "./every-kernel.ts";

/** What transformers need, on rows × columns numbers; attention sees `columns` positions. */
export function sequenceCases(drawn: (count: number) => Float32Array, rows: number, columns: number): Case[] {
  const [length, square] = [rows * columns, columns * columns];
  const pieces = { matrices: 2, rows, columns: 3, length: columns };
  // gamma, its gradient, normalised, inverse, input, output.
  const normFloats = () => [columns, columns, length, rows, length, length].map(drawn);
  const normOf = ([gamma, gammaGradient, normalised, inverse]: Float32Array[]): LayerNormArrays => ({
    ...{ columns, epsilon: 1e-5 },
    ...{ gamma: gamma!, gammaGradient: gammaGradient!, normalised: normalised!, inverse: inverse! },
  });
  return [
    {
      name: "add",
      floats: [drawn(length), drawn(length)],
      run: (kernels, [a, b]) => kernels.add(a!, b!, b!, length),
    },
    {
      name: "gelu",
      floats: [drawn(length), drawn(length)],
      run: (kernels, [input, output]) => kernels.gelu(input!, output!, length),
    },
    {
      name: "gelu backward",
      floats: [drawn(length), drawn(length)],
      run: (kernels, [input, gradient]) => kernels.geluBackward(input!, gradient!, gradient!, length),
    },
    {
      name: "layerNormForward",
      floats: normFloats(),
      run: (kernels, arrays) => kernels.layerNormForward(normOf(arrays), arrays[4]!, arrays[5]!, rows),
    },
    {
      name: "layerNormBackward",
      floats: normFloats(),
      run: (kernels, arrays) => kernels.layerNormBackward(normOf(arrays), arrays[4]!, arrays[4]!, rows),
    },
    {
      name: "causalSoftmax",
      floats: [drawn(square)],
      run: (kernels, [scores]) => kernels.causalSoftmax(scores!, columns, 0.7),
    },
    {
      name: "causalSoftmaxBackward",
      floats: [drawn(square), drawn(square)],
      run: (kernels, [weights, gradient]) => kernels.causalSoftmaxBackward(weights!, gradient!, columns, 0.7),
    },
    {
      name: "swapPieces",
      floats: [drawn(6 * length), drawn(6 * length)],
      run: (kernels, [from, to]) => kernels.swapPieces(from!, to!, pieces),
    },
  ];
}
