import type { SequenceKernels } from "./sequence-kernels.ts";

/**
 * The one interface between the mathematics and whatever computes it.
 *
 * Every array handed to a kernel was made by `allocate` of the same kernel set (or is a `subarray` of such a one):
 * the WebAssembly kernels address their memory by byte offset. Matrices are row-major, one example a row.
 * Kernels write into arrays that their caller owns, and allocate nothing.
 */
export interface Kernels extends Casts, SequenceKernels {
  readonly name: string;

  /** A zeroed array of `length` floats that these kernels can address. Throws a RangeError when the arena is full. */
  allocate(length: number): Float32Array;

  /**
   * c = op(a) · op(b), or c += op(a) · op(b) with `accumulate`; op transposes where asked.
   * op(a) is rows × inner, op(b) inner × columns, c rows × columns.
   */
  multiply(
    a: Float32Array,
    b: Float32Array,
    c: Float32Array,
    shape: { readonly rows: number; readonly inner: number; readonly columns: number },
    options?: MultiplyOptions,
  ): void;

  /** matrix[r][c] += bias[c], in place. */
  addBias(matrix: Float32Array, bias: Float32Array, rows: number, columns: number): void;

  /** sums[c] = Σ_r matrix[r][c]. */
  sumRows(matrix: Float32Array, sums: Float32Array, rows: number, columns: number): void;

  /**
   * Cuts each of `rows` images, height × width × channels, into the patches that a square kernel covers, one after another
   * from the top left; outside the image are zeros. patches: (rows · places) × (kernel · kernel · channels).
   */
  unfold(images: Float32Array, patches: Float32Array, shape: PatchShape, rows: number): void;

  /** The transpose of `unfold`: images = the sum of all patches where they lay. */
  fold(patches: Float32Array, images: Float32Array, shape: PatchShape, rows: number): void;

  /** sum = a + b, element by element; `sum` may be either. */
  add(a: Float32Array, b: Float32Array, sum: Float32Array, length: number): void;

  /** difference = a − b, element by element; `difference` may be `a`. */
  subtract(a: Float32Array, b: Float32Array, difference: Float32Array, length: number): void;

  /** output = f(input); `output` may be `input`. */
  activate(nonlinearity: Nonlinearity, input: Float32Array, output: Float32Array, length: number): void;

  /** inputGradient = outputGradient · f′, with f′ expressed in f's own output; `inputGradient` may be `outputGradient`. */
  activateBackward(
    nonlinearity: Nonlinearity,
    output: Float32Array,
    outputGradient: Float32Array,
    inputGradient: Float32Array,
    length: number,
  ): void;

  /** Normalises each column over the batch (Ioffe & Szegedy 2015, algorithm 1) and remembers what backward needs. */
  batchNormForward(norm: BatchNormArrays, input: Float32Array, output: Float32Array, rows: number): void;

  /** running += momentum · (batch − running), from the statistics the last forward left in `norm`. */
  batchNormTrack(norm: BatchNormArrays, momentum: number, rows: number): void;

  /** Normalises with the running statistics: for evaluation. `output` may be `input`. */
  batchNormEvaluate(norm: BatchNormArrays, input: Float32Array, output: Float32Array, rows: number): void;

  /** Gradients by gamma, beta (sums over the batch) and input, for the last forward. `inputGradient` may be `outputGradient`. */
  batchNormBackward(
    norm: BatchNormArrays,
    outputGradient: Float32Array,
    inputGradient: Float32Array,
    rows: number,
  ): void;

  /**
   * Σ over rows of the loss, and gradient[r][c] = dL_r/d(logits[r][c]) per example (not divided by the batch size).
   * `labels` are dense: one-hot rows, or bits.
   */
  lossAndGradient(
    loss: Loss,
    logits: Float32Array,
    labels: Float32Array,
    gradient: Float32Array,
    rows: number,
    columns: number,
  ): number;

  /**
   * Adam (Kingma & Ba 2015, algorithm 1) on one array in place. The gradient used is `gradient · scale`
   * (scale = 1/rows turns a sum over the batch into its mean); `step` counts from 1.
   */
  adam(
    parameters: Float32Array,
    gradient: Float32Array,
    firstMoment: Float32Array,
    secondMoment: Float32Array,
    length: number,
    options: AdamStep,
  ): void;

  /** velocity = momentum · velocity + gradient · scale; parameters −= rate · velocity. */
  sgd(
    parameters: Float32Array,
    gradient: Float32Array,
    velocity: Float32Array,
    length: number,
    options: SgdStep,
  ): void;

  /** Σ a · b in double precision. */
  dot(a: Float32Array, b: Float32Array, length: number): number;

  /** difference = guess − target, and what tells how good the guess is. */
  compare(guess: Float32Array, target: Float32Array, difference: Float32Array, length: number): Comparison;

  /** values = values · factor, in double precision and rounded once. */
  scale(values: Float32Array, factor: number, length: number): void;

  /** True if every value is finite and at most `limit` in size. */
  isWithin(values: Float32Array, length: number, limit: number): boolean;
}

/** Sums in double precision, of a guess s and a target t. */
export interface Comparison {
  /** Σ (s − t)², the differences in single precision. */
  readonly squaredError: number;
  /** Σ t²: what guessing zero would have cost. */
  readonly squaredTarget: number;
  /** Σ s² and Σ s · t. */
  readonly squaredGuess: number;
  readonly product: number;
}

/**
 * Between floats and what they travel as. A narrower value is the one nearest to the float, ties go to the even one,
 * and no finite float becomes an infinity: halves (f16, IEEE 754) saturate at ±65504, bf16 at ±3.39e38. Infinities
 * and NaN stay what they are. All kernel sets give the same bits.
 */
export interface Casts {
  /** A zeroed array of `length` bytes that these kernels can address. Throws a RangeError when the arena is full. */
  allocateBytes(length: number): Uint8Array;

  /**
   * bytes = the values as `type`, little-endian. Values are rows × columns, `scales` holds a float for each row.
   *
   * For i8, and for it alone, writes scales[r] = the largest size in row r / 127, and a byte is
   * value · (1 / scales[r]), rounded: −127 to 127. A row whose scale would be no normal float (below 2^-126: all but
   * zero) becomes scale 0 and zeros; one with a NaN or an infinity scale Infinity and zeros, so that it shows.
   */
  narrow(
    type: NarrowType,
    values: Float32Array,
    bytes: Uint8Array,
    scales: Float32Array,
    rows: number,
    columns: number,
  ): void;

  /** values = what the bytes stand for: exactly, as f16 and bf16; for i8 byte · scales[r], rounded to a float. */
  widen(
    type: NarrowType,
    bytes: Uint8Array,
    scales: Float32Array,
    values: Float32Array,
    rows: number,
    columns: number,
  ): void;

  /** values[i] = bytes[i] · scale, in double precision and rounded to a float once; as `bytesToFloats`, to the bit. */
  scaleBytes(bytes: Uint8Array, scale: number, values: Float32Array, length: number): void;
}

/** Narrower than the float that it stands for: 2, 2 and 1 bytes. */
export type NarrowType = "f16" | "bf16" | "i8";

export type Nonlinearity = "identity" | "relu" | "sigmoid" | "tanh";

/** Mean squared error is ½ Σ_c (p − y)² a row; sigmoid cross-entropy sums over its bits. */
export type Loss = "softmax-cross-entropy" | "sigmoid-cross-entropy" | "mean-squared-error";

export interface MultiplyOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly accumulate?: boolean;
}

/** How a square kernel walks over images with `padding` zeros on each side, `stride` at a time. */
export interface PatchShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  /** Less than `kernel`. */
  readonly padding: number;
}

/** All of `columns` floats, but for `normalised`, which holds the largest batch: rows × columns. */
export interface BatchNormArrays {
  readonly columns: number;
  readonly epsilon: number;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly gammaGradient: Float32Array;
  readonly betaGradient: Float32Array;
  readonly runningMean: Float32Array;
  readonly runningVariance: Float32Array;
  readonly batchMean: Float32Array;
  readonly batchVariance: Float32Array;
  /** (x − mean) / √(variance + ε) of the last forward. */
  readonly normalised: Float32Array;
}

export interface AdamStep {
  readonly rate: number;
  readonly scale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

export interface SgdStep {
  readonly rate: number;
  readonly scale: number;
  readonly momentum: number;
}
