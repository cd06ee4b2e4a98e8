import { exactly } from "../exactly.ts";
import type { Kernels } from "../kernels.ts";
import type { OptimizerOptions } from "../optimizer.ts";
import type { Parameter, Tensors } from "../parameter.ts";
import { ParameterSet } from "../parameter-set.ts";
import { seededRandom } from "../random.ts";
import type { Transform } from "../transform.ts";

interface EmbeddingOptions {
  /** Ids are 0 to `vocabulary` − 1. */
  readonly vocabulary: number;
  readonly positions: number;
  /** Floats of a position. */
  readonly width: number;
  /** Sequences in the largest batch. */
  readonly maxRows: number;
  readonly seed: number;
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

const DEVIATION = 0.02;

/**
 * Ids → vectors: output[p] = token[id at p] + place[p] (Vaswani et al. 2017, sections 3.4 and 3.5, with learnt places). A
 * row is a sequence of `positions` ids, and gives positions × width floats. Nothing comes before it, so it has no
 * gradient of its input.
 */
export class Embedding implements Transform {
  readonly #options: EmbeddingOptions;
  readonly #token: Parameter;
  readonly #place: Parameter;
  readonly #parameters: ParameterSet;
  readonly #output: Float32Array;
  readonly #evaluated: Float32Array;
  #last: { readonly ids: Float32Array; readonly rows: number } | undefined;

  constructor(kernels: Kernels, options: EmbeddingOptions) {
    const { vocabulary, positions, width, maxRows, seed, layer, optimizer } = options;
    this.#options = options;
    const random = seededRandom(seed, layer);
    this.#parameters = new ParameterSet(kernels, optimizer);
    this.#token = this.#parameters.matrix("token", [vocabulary, width], DEVIATION, random);
    this.#place = this.#parameters.matrix("place", [positions, width], DEVIATION, random);
    this.#output = kernels.allocate(maxRows * positions * width);
    this.#evaluated = kernels.allocate(maxRows * positions * width);
  }

  /** Throws a RangeError for an id that is not in the vocabulary, or more rows than there is room for. */
  forward(ids: Float32Array, rows: number): Float32Array {
    const output = this.#look(ids, rows, this.#output);
    this.#last = { ids, rows };
    return output;
  }

  track(): void {}

  evaluate(ids: Float32Array, rows: number): Float32Array {
    return this.#look(ids, rows, this.#evaluated);
  }

  backward(outputGradient: Float32Array, rows: number): undefined {
    if (this.#last?.rows !== rows) {
      throw new Error(`Cannot go backward: ${rows} rows, the last forward had ${this.#last?.rows ?? "none"}`);
    }
    const { positions, width } = this.#options;
    const { ids } = this.#last;
    this.#token.gradient.fill(0);
    this.#place.gradient.fill(0);
    for (let at = 0; at < rows * positions; at++) {
      add(this.#token.gradient, ids[at]! * width, outputGradient, at * width, width);
      add(this.#place.gradient, (at % positions) * width, outputGradient, at * width, width);
    }
    return undefined;
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

  #look(ids: Float32Array, rows: number, output: Float32Array): Float32Array {
    const { positions, width, maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    for (let at = 0; at < rows * positions; at++) {
      const token = this.#idAt(ids, at) * width;
      const place = (at % positions) * width;
      for (let i = 0; i < width; i++)
        output[at * width + i] = this.#token.value[token + i]! + this.#place.value[place + i]!;
    }
    return exactly(output, rows * positions * width);
  }

  #idAt(ids: Float32Array, at: number): number {
    const id = ids[at]!;
    if (Number.isInteger(id) && id >= 0 && id < this.#options.vocabulary) return id;
    throw new RangeError(`Cannot embed: id ${id}, expected 0 to ${this.#options.vocabulary - 1}`);
  }
}

function add(sums: Float32Array, to: number, values: Float32Array, from: number, length: number): void {
  for (let i = 0; i < length; i++) sums[to + i] = sums[to + i]! + values[from + i]!;
}
