import { exactly } from "../exactly.ts";
import type { Kernels, MultiplyOptions } from "../kernels.ts";
import type { OptimizerOptions } from "../optimizer.ts";
import type { Parameter, Tensors } from "../parameter.ts";
import { ParameterSet } from "../parameter-set.ts";
import { seededRandom } from "../random.ts";
import type { LayerNormArrays } from "../sequence-kernels.ts";
import type { Transform } from "../transform.ts";
import { type AttentionShape, type AttentionTrace, CausalAttention } from "./causal-attention.ts";
import { gainOf, normTrace } from "./layer-norm.ts";

export interface BlockOptions {
  readonly positions: number;
  /** Floats of a position. */
  readonly width: number;
  readonly heads: number;
  /** Blocks of the whole network: the last product of each residual branch starts smaller by √(2 · depth). */
  readonly depth: number;
  /** Sequences in the largest batch. */
  readonly maxRows: number;
  readonly seed: number;
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

/** As in GPT-2 (Radford et al. 2019, section 2.3): of all first weights. */
const DEVIATION = 0.02;
/** Width of the feed-forward's hidden part, in widths. */
const EXPANSION = 4;

/** What a forward pass leaves for its backward: matrices of rows · positions rows. */
interface Trace {
  readonly input: Float32Array;
  readonly attended: LayerNormArrays;
  readonly attention: AttentionTrace;
  readonly context: Float32Array;
  /** The input plus what attention adds. */
  readonly middle: Float32Array;
  readonly fed: LayerNormArrays;
  readonly fedInput: Float32Array;
  readonly expanded: Float32Array;
  readonly bent: Float32Array;
  readonly output: Float32Array;
}

/**
 * A transformer block with the norms first (Radford et al. 2019), without biases:
 *
 *     middle = input  + attention(norm(input) · mix) · project
 *     output = middle + gelu(norm(middle) · expand) · contract
 *
 * A row is a sequence of positions × width floats. See `Transform` for the arrays returned.
 */
export class TransformerBlock implements Transform {
  readonly #kernels: Kernels;
  readonly #options: BlockOptions;
  readonly #attention: CausalAttention;
  readonly #gains: { readonly attended: Parameter; readonly fed: Parameter };
  readonly #weights: Readonly<Record<"mix" | "project" | "expand" | "contract", Parameter>>;
  readonly #parameters: ParameterSet;
  /** Evaluations come between a forward and its backward, and leave the trace of training alone. */
  readonly #traces: { readonly training: Trace; readonly evaluation: Trace };
  readonly #scratch: {
    readonly wide: Float32Array;
    readonly narrow: Float32Array;
    readonly sum: Float32Array;
  };
  readonly #inputGradient: Float32Array;
  #rows: number | undefined;

  constructor(kernels: Kernels, options: BlockOptions) {
    const { positions, width, heads, maxRows, depth, seed, layer, optimizer } = options;
    this.#kernels = kernels;
    this.#options = options;
    const shape: AttentionShape = { sequences: maxRows, positions, width, heads };
    this.#attention = new CausalAttention(kernels, shape);
    const random = seededRandom(seed, layer);
    const parameters = new ParameterSet(kernels, optimizer);
    this.#parameters = parameters;
    const small = DEVIATION / Math.sqrt(2 * depth);
    this.#weights = {
      mix: parameters.matrix("attention.mix", [width, 3 * width], DEVIATION, random),
      project: parameters.matrix("attention.project", [width, width], small, random),
      expand: parameters.matrix("feedForward.expand", [width, EXPANSION * width], DEVIATION, random),
      contract: parameters.matrix("feedForward.contract", [EXPANSION * width, width], small, random),
    };
    const gain = () => gainOf(kernels, width, parameters.optimizer);
    this.#gains = {
      attended: parameters.add("attention.gamma", gain()),
      fed: parameters.add("feedForward.gamma", gain()),
    };
    this.#traces = { training: this.#trace(), evaluation: this.#trace() };
    const all = maxRows * positions * width;
    this.#inputGradient = kernels.allocate(all);
    this.#scratch = {
      wide: kernels.allocate(EXPANSION * all),
      narrow: kernels.allocate(all),
      sum: kernels.allocate(all),
    };
  }

  forward(input: Float32Array, rows: number): Float32Array {
    this.#rows = rows;
    return this.#run(input, rows, this.#traces.training);
  }

  /** Layer norm has no running statistics. */
  track(): void {}

  evaluate(input: Float32Array, rows: number): Float32Array {
    return this.#run(input, rows, this.#traces.evaluation);
  }

  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined {
    if (this.#rows !== rows) {
      throw new Error(`Cannot go backward: ${rows} rows, the last forward had ${this.#rows ?? "none"}`);
    }
    const trace = this.#traces.training;
    const { narrow, sum } = this.#scratch;
    this.#feedForwardBackward(outputGradient, narrow, rows, trace);
    this.#kernels.add(outputGradient, narrow, sum, this.#length(rows));
    this.#attentionBackward(sum, narrow, rows, trace);
    if (!wantInputGradient) return undefined;
    this.#kernels.add(sum, narrow, this.#inputGradient, this.#length(rows));
    return exactly(this.#inputGradient, this.#length(rows));
  }

  /** With the mean over all positions of all rows. */
  descend(rate: number, rows: number, step: number, squares?: number): void {
    this.#parameters.descend(rate, 1 / this.#places(rows), step, squares);
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

  #run(input: Float32Array, rows: number, trace: Trace): Float32Array {
    const { maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    const kernels = this.#kernels;
    const { narrow, wide } = this.#scratch;
    const [places, length] = [this.#places(rows), this.#length(rows)];
    const { mix, project, expand, contract } = this.#weights;
    kernels.layerNormForward(trace.attended, input, trace.input, places);
    this.#times(trace.input, mix, wide, places);
    this.#attention.forward(wide, trace.context, rows, trace.attention);
    this.#times(trace.context, project, narrow, places);
    kernels.add(input, narrow, trace.middle, length);
    kernels.layerNormForward(trace.fed, trace.middle, trace.fedInput, places);
    this.#times(trace.fedInput, expand, trace.expanded, places);
    kernels.gelu(trace.expanded, trace.bent, EXPANSION * length);
    this.#times(trace.bent, contract, narrow, places);
    kernels.add(trace.middle, narrow, trace.output, length);
    return exactly(trace.output, length);
  }

  /** gradient: dL/d(output) → the part of dL/d(middle) that comes through the branch; leaves its weights' gradients. */
  #feedForwardBackward(gradient: Float32Array, result: Float32Array, rows: number, trace: Trace): void {
    const { expand, contract } = this.#weights;
    const { wide } = this.#scratch;
    const places = this.#places(rows);
    this.#back(gradient, trace.bent, contract, wide, places);
    this.#kernels.geluBackward(trace.expanded, wide, wide, EXPANSION * this.#length(rows));
    this.#back(wide, trace.fedInput, expand, result, places);
    this.#kernels.layerNormBackward(trace.fed, result, result, places);
  }

  /** gradient: dL/d(middle) → the part of dL/d(input) that comes through attention. */
  #attentionBackward(gradient: Float32Array, result: Float32Array, rows: number, trace: Trace): void {
    const { mix, project } = this.#weights;
    const { wide } = this.#scratch;
    const places = this.#places(rows);
    this.#back(gradient, trace.context, project, result, places);
    this.#attention.backward(result, wide, rows, trace.attention);
    this.#back(wide, trace.input, mix, result, places);
    this.#kernels.layerNormBackward(trace.attended, result, result, places);
  }

  /** output = input · weight; how wide each is follows from the weight. */
  #times(input: Float32Array, weight: Parameter, output: Float32Array, places: number): void {
    this.#kernels.multiply(input, weight.value, output, { rows: places, ...this.#sides(weight) });
  }

  /** inputGradient = outputGradient · weightᵀ, and weight.gradient = inputᵀ · outputGradient. */
  #back(
    outputGradient: Float32Array,
    input: Float32Array,
    weight: Parameter,
    inputGradient: Float32Array,
    places: number,
  ): void {
    const { inner, columns } = this.#sides(weight);
    const transposeA: MultiplyOptions = { transposeA: true };
    const byWeight = { rows: inner, inner: places, columns };
    this.#kernels.multiply(input, outputGradient, weight.gradient, byWeight, transposeA);
    const byInput = { rows: places, inner: columns, columns: inner };
    this.#kernels.multiply(outputGradient, weight.value, inputGradient, byInput, { transposeB: true });
  }

  /** Rows and columns of a weight. */
  #sides(weight: Parameter): { readonly inner: number; readonly columns: number } {
    const { width } = this.#options;
    const inner = weight === this.#weights.contract ? EXPANSION * width : width;
    return { inner, columns: weight.value.length / inner };
  }

  #places(rows: number): number {
    return rows * this.#options.positions;
  }

  #length(rows: number): number {
    return this.#places(rows) * this.#options.width;
  }

  #trace(): Trace {
    const { maxRows, positions, width } = this.#options;
    const places = maxRows * positions;
    const matrix = (widths: number) => this.#kernels.allocate(places * widths * width);
    return {
      input: matrix(1),
      attended: normTrace(this.#kernels, this.#gains.attended, places),
      attention: this.#attention.trace(),
      context: matrix(1),
      middle: matrix(1),
      fed: normTrace(this.#kernels, this.#gains.fed, places),
      fedInput: matrix(1),
      expanded: matrix(EXPANSION),
      bent: matrix(EXPANSION),
      output: matrix(1),
    };
  }
}
