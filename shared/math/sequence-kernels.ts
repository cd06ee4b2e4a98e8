/** What transformers compute besides products; see `Kernels` for the arrays. */
export interface SequenceKernels {
  /** Normalises each row (Ba et al. 2016, equation 3), times gamma. `output` may be `input`. */
  layerNormForward(norm: LayerNormArrays, input: Float32Array, output: Float32Array, rows: number): void;

  /** Gradients by gamma (summed over the rows) and by input, for the last forward. `inputGradient` may be `outputGradient`. */
  layerNormBackward(
    norm: LayerNormArrays,
    outputGradient: Float32Array,
    inputGradient: Float32Array,
    rows: number,
  ): void;

  /** output = x · ½(1 + tanh(√(2/π)(x + 0.044715 x³))) (Hendrycks & Gimpel 2016, section 2). `output` may be `input`. */
  gelu(input: Float32Array, output: Float32Array, length: number): void;

  /** inputGradient = outputGradient · gelu′(input). `inputGradient` may be `outputGradient`. */
  geluBackward(
    input: Float32Array,
    outputGradient: Float32Array,
    inputGradient: Float32Array,
    length: number,
  ): void;

  /** positions × positions in place: row i becomes the softmax of scale · its first i + 1 scores, and 0 behind them. */
  causalSoftmax(scores: Float32Array, positions: number, scale: number): void;

  /** gradient: dL/d(weights) → dL/d(scores) in place, for the weights that `causalSoftmax` gave. */
  causalSoftmaxBackward(
    weights: Float32Array,
    gradient: Float32Array,
    positions: number,
    scale: number,
  ): void;

  /**
   * From `matrices` of rows × columns pieces to as many of columns × rows pieces; a piece is `length` floats. So heads that
   * lie side by side in each position come to lie one behind the other, and back.
   */
  swapPieces(from: Float32Array, to: Float32Array, shape: PieceShape): void;
}

/** `normalised` and `inverse` hold the largest batch: rows × columns, and rows. */
export interface LayerNormArrays {
  readonly columns: number;
  readonly epsilon: number;
  readonly gamma: Float32Array;
  readonly gammaGradient: Float32Array;
  /** (x − mean) / √(variance + ε) of the last forward. */
  readonly normalised: Float32Array;
  /** 1 / √(variance + ε) of each of its rows. */
  readonly inverse: Float32Array;
}

interface PieceShape {
  readonly matrices: number;
  readonly rows: number;
  readonly columns: number;
  readonly length: number;
}
