import { exactly } from "../exactly.ts";
import type { Kernels } from "../kernels.ts";
import type { OptimizerOptions } from "../optimizer.ts";
import type { Parameter, Tensors } from "../parameter.ts";
import { ParameterSet } from "../parameter-set.ts";
import { seededRandom } from "../random.ts";
import type { LayerNormArrays } from "../sequence-kernels.ts";
import type { Transform } from "../transform.ts";
import { gainOf, normTrace } from "./layer-norm.ts";

interface NormedDenseOptions {
  /** Places of an example at which it is applied, each by itself. */
  readonly positions: number;
  /** Floats of a position, before and after. */
  readonly inputs: number;
  readonly outputs: number;
  /** Examples in the largest batch. */
  readonly maxRows: number;
  /** The first weights are drawn from these words, and nothing else; without them they are zero. */
  readonly seed: readonly number[] | undefined;
  readonly optimizer: OptimizerOptions;
}

const DEVIATION = 0.02;

/**
 * output = norm(input) · weight at every position, without a bias: the head of a GPT, and what a layer judges its own output
 * by. `weight` is inputs × outputs. See `Transform` for the arrays returned.
 */
export class NormedDense implements Transform {
  readonly #kernels: Kernels;
  readonly #options: NormedDenseOptions;
  readonly #parameters: ParameterSet;
  readonly #weight: Parameter;
  readonly #trace: LayerNormArrays;
  readonly #evaluationTrace: LayerNormArrays;
  readonly #normed: Float32Array;
  readonly #evaluatedNormed: Float32Array;
  readonly #output: Float32Array;
  readonly #evaluated: Float32Array;
  readonly #inputGradient: Float32Array;
  #rows: number | undefined;

  constructor(kernels: Kernels, options: NormedDenseOptions) {
    const { positions, inputs, outputs, maxRows, seed, optimizer } = options;
    this.#kernels = kernels;
    this.#options = options;
    this.#parameters = new ParameterSet(kernels, optimizer);
    const [deviation, random] = seed ? [DEVIATION, seededRandom(...seed)] : [0, () => 0];
    this.#weight = this.#parameters.matrix("weight", [inputs, outputs], deviation, random);
    const gain = this.#parameters.add("gamma", gainOf(kernels, inputs, this.#parameters.optimizer));
    const places = maxRows * positions;
    this.#trace = normTrace(kernels, gain, places);
    this.#evaluationTrace = normTrace(kernels, gain, places);
    this.#normed = kernels.allocate(places * inputs);
    this.#evaluatedNormed = kernels.allocate(places * inputs);
    this.#output = kernels.allocate(places * outputs);
    this.#evaluated = kernels.allocate(places * outputs);
    this.#inputGradient = kernels.allocate(places * inputs);
  }

  forward(input: Float32Array, rows: number): Float32Array {
    this.#rows = rows;
    return this.#run(input, rows, { normed: this.#normed, trace: this.#trace, output: this.#output });
  }

  /** Layer norm has no running statistics. */
  track(): void {}

  evaluate(input: Float32Array, rows: number): Float32Array {
    const [normed, trace] = [this.#evaluatedNormed, this.#evaluationTrace];
    return this.#run(input, rows, { normed, trace, output: this.#evaluated });
  }

  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined {
    if (this.#rows !== rows) {
      throw new Error(`Cannot go backward: ${rows} rows, the last forward had ${this.#rows ?? "none"}`);
    }
    const { inputs, outputs } = this.#options;
    const places = rows * this.#options.positions;
    const byWeight = { rows: inputs, inner: places, columns: outputs };
    const gradient = this.#inputGradient;
    this.#kernels.multiply(this.#normed, outputGradient, this.#weight.gradient, byWeight, {
      transposeA: true,
    });
    const byInput = { rows: places, inner: outputs, columns: inputs };
    this.#kernels.multiply(outputGradient, this.#weight.value, gradient, byInput, { transposeB: true });
    this.#kernels.layerNormBackward(this.#trace, gradient, gradient, places);
    return wantInputGradient ? exactly(gradient, places * inputs) : undefined;
  }

  /** With the mean over all positions of all rows. */
  descend(rate: number, rows: number, step: number, squares?: number): void {
    this.#parameters.descend(rate, 1 / (rows * this.#options.positions), step, squares);
  }

  squares(): number {
    return this.#parameters.squares();
  }

  tensors(): Tensors {
    return this.#parameters.tensors();
  }

  optimizerTensors(): Tensors {
    return this.#parameters.optimizerTensors();
  }

  #run(
    input: Float32Array,
    rows: number,
    into: { readonly normed: Float32Array; readonly trace: LayerNormArrays; readonly output: Float32Array },
  ): Float32Array {
    const { positions, inputs, outputs, maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    const places = rows * positions;
    this.#kernels.layerNormForward(into.trace, input, into.normed, places);
    const shape = { rows: places, inner: inputs, columns: outputs };
    this.#kernels.multiply(into.normed, this.#weight.value, into.output, shape);
    return exactly(into.output, places * outputs);
  }
}
