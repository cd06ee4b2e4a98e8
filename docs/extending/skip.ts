import type { Kernels, LayerOptions } from "unlocked";
import { activated, countParameters, DenseLayer, exactly, layerKind } from "unlocked";

/** output = input + f(norm(input · weight)): what it adds can be little, so that many of them still learn. */
export default layerKind({
  about: "A dense layer that adds its input to what it computes.",
  fields: activated,
  canBeHead: false,
  size: (_, given) => given && { inputs: given.width, outputs: given.width },
  transform: (kernels, options) => new Skip(kernels, options),
  describe: ({ inputs, batchNorm }) => ({
    what: "skip",
    parameters: countParameters(inputs, inputs, batchNorm),
  }),
});

class Skip extends DenseLayer {
  readonly #arrays: Readonly<Record<"output" | "evaluated" | "back", Float32Array>>;

  constructor(kernels: Kernels, options: LayerOptions) {
    super(kernels, { ...options, optimizer: options.learning.layer });
    const array = () => kernels.allocate(options.maxRows * options.inputs);
    this.#arrays = { output: array(), evaluated: array(), back: array() };
  }

  override forward(input: Float32Array, rows: number) {
    return sum(this.#arrays.output, input, super.forward(input, rows));
  }

  override evaluate(input: Float32Array, rows: number) {
    return sum(this.#arrays.evaluated, input, super.evaluate(input, rows));
  }

  override backward(gradient: Float32Array, rows: number, wanted: boolean) {
    const back = super.backward(gradient, rows, wanted);
    return back && sum(this.#arrays.back, gradient, back);
  }
}

function sum(to: Float32Array, one: Float32Array, other: Float32Array): Float32Array {
  for (let at = 0; at < other.length; at++) to[at] = one[at]! + other[at]!;
  return exactly(to, other.length);
}
