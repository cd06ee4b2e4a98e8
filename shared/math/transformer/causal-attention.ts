import type { Kernels } from "../kernels.ts";

export interface AttentionShape {
  /** Most sequences in a batch. */
  readonly sequences: number;
  /** Positions in a sequence. */
  readonly positions: number;
  /** Floats of a position: a multiple of `heads`. */
  readonly width: number;
  readonly heads: number;
}

/** One head of one sequence, packed: positions × (width / heads). */
interface Packed {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/**
 * Causal self-attention (Vaswani et al. 2017, section 3.2): for each head, softmax(Q · Kᵀ / √d) · V, where a position sees
 * itself and what lies before it. It has no weights of its own: `mixed` is Q, K and V side by side, 3 · width floats a
 * position, as one product gives them. Heads are packed one at a time, so that kernels can multiply them.
 */
export class CausalAttention {
  readonly #kernels: Kernels;
  readonly #shape: AttentionShape;
  readonly #head: Packed;
  readonly #headGradient: Packed;
  readonly #output: Float32Array;
  readonly #scores: Float32Array;

  constructor(kernels: Kernels, shape: AttentionShape) {
    const { positions, width, heads } = shape;
    if (width % heads !== 0) {
      throw new Error(`Cannot attend: ${width} floats a position do not divide into ${heads} heads`);
    }
    this.#kernels = kernels;
    this.#shape = shape;
    const packed = () => kernels.allocate((positions * width) / heads);
    this.#head = { query: packed(), key: packed(), value: packed() };
    this.#headGradient = { query: packed(), key: packed(), value: packed() };
    this.#output = packed();
    this.#scores = kernels.allocate(positions * positions);
  }

  /** Room for the attention weights of a forward pass: sequences × heads × positions × positions. */
  trace(kernels: Kernels): Float32Array {
    const { sequences, heads, positions } = this.#shape;
    return kernels.allocate(sequences * heads * positions * positions);
  }

  /** mixed: sequences · positions × 3 width → output: sequences · positions × width. Leaves the weights in `trace`. */
  forward(mixed: Float32Array, output: Float32Array, sequences: number, trace: Float32Array): void {
    const { positions, width } = this.#shape;
    const size = this.#size;
    for (const { sequence, head, weights } of this.#heads(sequences, trace)) {
      this.#unpack(mixed, this.#head, sequence, head);
      const scores = { rows: positions, inner: size, columns: positions };
      this.#kernels.multiply(this.#head.query, this.#head.key, weights, scores, { transposeB: true });
      softmaxBefore(weights, positions, 1 / Math.sqrt(size));
      const context = { rows: positions, inner: positions, columns: size };
      this.#kernels.multiply(weights, this.#head.value, this.#output, context);
      put(this.#output, output, { positions, size, stride: width }, sequence * positions, head * size);
    }
  }

  /** outputGradient: dL/d(output) → dL/d(mixed), for the forward pass that left `trace`; `mixed` as it was then. */
  backward(
    mixed: Float32Array,
    outputGradient: Float32Array,
    mixedGradient: Float32Array,
    sequences: number,
    trace: Float32Array,
  ): void {
    const { positions, width } = this.#shape;
    const [size, kernels] = [this.#size, this.#kernels];
    const { query, key, value } = this.#head;
    const gradient = this.#headGradient;
    const [square, flat] = [
      { rows: positions, inner: size, columns: positions },
      { rows: positions, inner: positions, columns: size },
    ];
    for (const { sequence, head, weights } of this.#heads(sequences, trace)) {
      this.#unpack(mixed, this.#head, sequence, head);
      take(
        outputGradient,
        this.#output,
        { positions, size, stride: width },
        sequence * positions,
        head * size,
      );
      kernels.multiply(weights, this.#output, gradient.value, flat, { transposeA: true });
      kernels.multiply(this.#output, value, this.#scores, square, { transposeB: true });
      softmaxBackward(weights, this.#scores, positions, 1 / Math.sqrt(size));
      kernels.multiply(this.#scores, key, gradient.query, flat);
      kernels.multiply(this.#scores, query, gradient.key, flat, { transposeA: true });
      this.#pack(gradient, mixedGradient, sequence, head);
    }
  }

  get #size(): number {
    return this.#shape.width / this.#shape.heads;
  }

  *#heads(sequences: number, trace: Float32Array) {
    const { positions, heads } = this.#shape;
    const square = positions * positions;
    for (let sequence = 0; sequence < sequences; sequence++) {
      for (let head = 0; head < heads; head++) {
        const start = (sequence * heads + head) * square;
        yield { sequence, head, weights: trace.subarray(start, start + square) };
      }
    }
  }

  #unpack(mixed: Float32Array, head: Packed, sequence: number, number: number): void {
    for (const [array, from] of this.#parts(head, number))
      take(mixed, array, this.#mixedRows, sequence * this.#shape.positions, from);
  }

  #pack(head: Packed, mixed: Float32Array, sequence: number, number: number): void {
    for (const [array, from] of this.#parts(head, number))
      put(array, mixed, this.#mixedRows, sequence * this.#shape.positions, from);
  }

  get #mixedRows(): Rows {
    const { positions, width } = this.#shape;
    return { positions, size: this.#size, stride: 3 * width };
  }

  /** Where in a row of `mixed` each part of a head begins. */
  #parts({ query, key, value }: Packed, head: number): readonly (readonly [Float32Array, number])[] {
    const { width } = this.#shape;
    const at = head * this.#size;
    return [
      [query, at],
      [key, width + at],
      [value, 2 * width + at],
    ];
  }
}

/** Rows of `stride` floats, of which a packed matrix holds `size`. */
interface Rows {
  readonly positions: number;
  readonly size: number;
  readonly stride: number;
}

/** packed = the columns from `column` on of the rows from `row` on. */
function take(
  matrix: Float32Array,
  packed: Float32Array,
  { positions, size, stride }: Rows,
  row: number,
  column: number,
): void {
  for (let i = 0; i < positions; i++) {
    const start = (row + i) * stride + column;
    for (let j = 0; j < size; j++) packed[i * size + j] = matrix[start + j]!;
  }
}

/** The reverse of `take`. */
function put(
  packed: Float32Array,
  matrix: Float32Array,
  { positions, size, stride }: Rows,
  row: number,
  column: number,
): void {
  for (let i = 0; i < positions; i++) {
    const start = (row + i) * stride + column;
    for (let j = 0; j < size; j++) matrix[start + j] = packed[i * size + j]!;
  }
}

/** Scores → weights in place: row i is the softmax of scale · its first i + 1 scores; the rest becomes 0. */
function softmaxBefore(scores: Float32Array, positions: number, scale: number): void {
  for (let row = 0; row < positions; row++) {
    const start = row * positions;
    const end = start + row + 1;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) largest = Math.max(largest, scores[i]!);
    let total = 0;
    for (let i = start; i < end; i++) {
      const weight = Math.exp(scale * (scores[i]! - largest));
      scores[i] = weight;
      total += weight;
    }
    for (let i = start; i < end; i++) scores[i] = scores[i]! / total;
    scores.fill(0, end, start + positions);
  }
}

/** gradient: dL/d(weights) → dL/d(scores) in place; 0 where a position is not seen. */
function softmaxBackward(
  weights: Float32Array,
  gradient: Float32Array,
  positions: number,
  scale: number,
): void {
  for (let row = 0; row < positions; row++) {
    const start = row * positions;
    const end = start + row + 1;
    let along = 0;
    for (let i = start; i < end; i++) along += weights[i]! * gradient[i]!;
    for (let i = start; i < end; i++) gradient[i] = scale * weights[i]! * (gradient[i]! - along);
    gradient.fill(0, end, start + positions);
  }
}
