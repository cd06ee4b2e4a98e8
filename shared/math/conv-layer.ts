import { RUNNING_MOMENTUM } from "./batch-norm.ts";
import { exactly } from "./exactly.ts";
import type { Kernels, Nonlinearity, PatchShape } from "./kernels.ts";
import { Learnt } from "./learnt.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import type { Tensors } from "./parameter.ts";
import { type Patches, patchesOf } from "./patches.ts";
import { normal, seededRandom } from "./random.ts";
import type { Transform } from "./transform.ts";

export interface Convolution {
  /** The images it takes, and how its kernel walks over them. */
  readonly shape: PatchShape;
  /** Channels of the images it gives. */
  readonly channels: number;
}

export interface ConvOptions extends Convolution {
  readonly nonlinearity: Nonlinearity;
  readonly batchNorm: boolean;
  /** Examples in the largest batch. */
  readonly maxRows: number;
  /** The first weights are drawn from these words, and nothing else; without them they are zero. */
  readonly seed: readonly number[] | undefined;
  readonly optimizer: OptimizerOptions;
}

/** Floats that patches may take before a batch is cut up: they are read again at once, and should still be in the cache. */
const CACHED_FLOATS = 128 * 1024;

/**
 * A convolution as a product: output = f(norm(patches · weight)), where the patches of an image are its rows. Batch norm is
 * over all places of a channel. Images lie as height × width × channels, so that products give images, and channels
 * are columns. `weight` is kernel × kernel × channels in × channels out. See `Transform` for the arrays returned.
 */
export class ConvLayer implements Transform {
  readonly #kernels: Kernels;
  readonly #options: ConvOptions;
  readonly #patchShape: Patches;
  /** Floats per example. */
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #learnt: Learnt;
  /** Of so many examples at a time. */
  readonly #group: number;
  readonly #patches: Float32Array;
  readonly #affine: Float32Array;
  readonly #output: Float32Array;
  readonly #evaluated: Float32Array;
  readonly #affineGradient: Float32Array;
  readonly #inputGradient: Float32Array;
  /** What the last forward saw; its arrays are the caller's, who keeps them as they are until backward. */
  #last: { readonly input: Float32Array; readonly rows: number } | undefined;

  constructor(kernels: Kernels, options: ConvOptions) {
    const { shape, channels, maxRows, batchNorm, seed } = options;
    this.#kernels = kernels;
    this.#options = options;
    this.#patchShape = patchesOf(shape);
    const { places, length } = this.#patchShape;
    this.#inputs = shape.height * shape.width * shape.channels;
    this.#outputs = places * channels;
    const { optimizer } = options;
    const most = maxRows * places;
    const weight = [shape.kernel, shape.kernel, shape.channels, channels];
    this.#learnt = new Learnt(kernels, { weight, maxRows: most, batchNorm, optimizer });
    this.#group = Math.min(maxRows, Math.max(1, Math.floor(CACHED_FLOATS / (places * length))));
    this.#patches = kernels.allocate(this.#group * places * length);
    this.#output = kernels.allocate(maxRows * this.#outputs);
    this.#affine = batchNorm ? kernels.allocate(maxRows * this.#outputs) : this.#output;
    // Evaluations come between a forward and its backward, and must leave both alone.
    this.#evaluated = kernels.allocate(maxRows * this.#outputs);
    this.#affineGradient = kernels.allocate(maxRows * this.#outputs);
    this.#inputGradient = kernels.allocate(maxRows * this.#inputs);
    if (seed) this.#drawWeights(seed);
  }

  forward(input: Float32Array, rows: number): Float32Array {
    const length = rows * this.#outputs;
    this.#convolve(input, rows, this.#affine);
    if (this.#learnt.norm)
      this.#kernels.batchNormForward(
        this.#learnt.norm.arrays,
        this.#affine,
        this.#output,
        this.#places(rows),
      );
    this.#kernels.activate(this.#options.nonlinearity, this.#output, this.#output, length);
    this.#last = { input, rows };
    return exactly(this.#output, length);
  }

  track(rows: number): void {
    if (this.#learnt.norm)
      this.#kernels.batchNormTrack(this.#learnt.norm.arrays, RUNNING_MOMENTUM, this.#places(rows));
  }

  evaluate(input: Float32Array, rows: number): Float32Array {
    const [output, length] = [this.#evaluated, rows * this.#outputs];
    this.#convolve(input, rows, output);
    if (this.#learnt.norm)
      this.#kernels.batchNormEvaluate(this.#learnt.norm.arrays, output, output, this.#places(rows));
    this.#kernels.activate(this.#options.nonlinearity, output, output, length);
    return exactly(output, length);
  }

  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined {
    if (this.#last?.rows !== rows) {
      throw new Error(`Cannot go backward: ${rows} rows, the last forward had ${this.#last?.rows ?? "none"}`);
    }
    const { nonlinearity, channels } = this.#options;
    const [gradient, places] = [this.#affineGradient, this.#places(rows)];
    const length = rows * this.#outputs;
    this.#kernels.activateBackward(nonlinearity, this.#output, outputGradient, gradient, length);
    if (this.#learnt.norm)
      this.#kernels.batchNormBackward(this.#learnt.norm.arrays, gradient, gradient, places);
    if (this.#learnt.bias) this.#kernels.sumRows(gradient, this.#learnt.bias.gradient, places, channels);
    this.#findWeightGradient(this.#last.input, gradient, rows);
    return wantInputGradient ? this.#backpropagate(gradient, rows) : undefined;
  }

  descend(rate: number, rows: number, step: number): void {
    this.#learnt.descend(rate, rows, step);
  }

  tensors(): Tensors {
    return this.#learnt.tensors();
  }

  optimizerTensors(): Tensors {
    return this.#learnt.optimizerTensors();
  }

  /** Rows of the output seen as a matrix with a column for each channel. */
  #places(rows: number): number {
    return rows * this.#patchShape.places;
  }

  /** He et al. 2015, equation 10: a unit sees as many inputs as a patch has floats. */
  #drawWeights(seed: readonly number[]): void {
    const random = seededRandom(...seed);
    const deviation = Math.sqrt(2 / this.#patchShape.length);
    for (let i = 0; i < this.#learnt.weight.value.length; i++)
      this.#learnt.weight.value[i] = deviation * normal(random);
  }

  #convolve(input: Float32Array, rows: number, affine: Float32Array): void {
    const { channels, maxRows } = this.#options;
    if (!(rows >= 1 && rows <= maxRows)) {
      throw new RangeError(`Cannot go forward: ${rows} rows, this layer takes 1 to ${maxRows}`);
    }
    for (const group of this.#groups(rows)) {
      this.#unfold(input, group);
      const shape = { rows: this.#places(group.rows), inner: this.#patchShape.length, columns: channels };
      this.#kernels.multiply(
        this.#patches,
        this.#learnt.weight.value,
        this.#outputPart(affine, group),
        shape,
      );
    }
    if (this.#learnt.bias)
      this.#kernels.addBias(affine, this.#learnt.bias.value, this.#places(rows), channels);
  }

  /** Cuts the patches anew: they were not kept, since all of a batch do not fit the cache. */
  #findWeightGradient(input: Float32Array, gradient: Float32Array, rows: number): void {
    const { channels } = this.#options;
    for (const group of this.#groups(rows)) {
      this.#unfold(input, group);
      const shape = { rows: this.#patchShape.length, inner: this.#places(group.rows), columns: channels };
      const options = { transposeA: true, accumulate: group.from > 0 };
      const part = this.#outputPart(gradient, group);
      this.#kernels.multiply(this.#patches, part, this.#learnt.weight.gradient, shape, options);
    }
  }

  #backpropagate(gradient: Float32Array, rows: number): Float32Array {
    const { channels, shape: patchShape } = this.#options;
    for (const group of this.#groups(rows)) {
      const shape = { rows: this.#places(group.rows), inner: channels, columns: this.#patchShape.length };
      const part = this.#outputPart(gradient, group);
      this.#kernels.multiply(part, this.#learnt.weight.value, this.#patches, shape, { transposeB: true });
      const images = rowsOf(this.#inputGradient, group, this.#inputs);
      this.#kernels.fold(this.#patches, images, patchShape, group.rows);
    }
    return exactly(this.#inputGradient, rows * this.#inputs);
  }

  #unfold(input: Float32Array, group: Group): void {
    const { shape } = this.#options;
    this.#kernels.unfold(rowsOf(input, group, this.#inputs), this.#patches, shape, group.rows);
  }

  #outputPart(matrix: Float32Array, group: Group): Float32Array {
    return rowsOf(matrix, group, this.#outputs);
  }

  *#groups(rows: number): Generator<Group> {
    for (let from = 0; from < rows; from += this.#group)
      yield { from, rows: Math.min(this.#group, rows - from) };
  }
}

/** Some of the examples of a batch. */
interface Group {
  readonly from: number;
  readonly rows: number;
}

/** The group's rows of a matrix of this width. */
function rowsOf(matrix: Float32Array, { from, rows }: Group, width: number): Float32Array {
  return matrix.subarray(from * width, (from + rows) * width);
}
