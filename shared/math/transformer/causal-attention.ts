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

/** One head of one sequence: three matrices of positions × (width / heads). */
interface Head {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** Heads that lie one behind the other: those of each sequence, all queries first, then keys, then values. */
interface Packed {
  readonly all: Float32Array;
  readonly heads: readonly Head[];
}

/** What the backward pass needs of a forward pass. */
export interface AttentionTrace {
  readonly packed: Packed;
  /** The attention weights of each head of each sequence: positions × positions. */
  readonly weights: readonly Float32Array[];
}

/**
 * Causal self-attention (Vaswani et al. 2017, section 3.2): for each head, softmax(Q · Kᵀ / √d) · V, where a position sees
 * itself and what lies before it. It has no weights of its own: `mixed` is Q, K and V side by side, 3 · width floats a
 * position, as one product gives them.
 */
export class CausalAttention {
  readonly #kernels: Kernels;
  readonly #shape: AttentionShape;
  readonly #gradient: Packed;
  /** Of each head of each sequence: positions × (width / heads). */
  readonly #contexts: { readonly all: Float32Array; readonly heads: readonly Float32Array[] };
  readonly #scores: Float32Array;

  constructor(kernels: Kernels, shape: AttentionShape) {
    const { sequences, positions, width, heads } = shape;
    if (width % heads !== 0) {
      throw new Error(`Cannot attend: ${width} floats a position do not divide into ${heads} heads`);
    }
    this.#kernels = kernels;
    this.#shape = shape;
    this.#gradient = this.#packed();
    const all = kernels.allocate(sequences * positions * width);
    this.#contexts = { all, heads: pieces(all, sequences * heads) };
    this.#scores = kernels.allocate(positions * positions);
  }

  /** Room for what a forward pass leaves. */
  trace(): AttentionTrace {
    const { sequences, heads, positions } = this.#shape;
    const weights = this.#kernels.allocate(sequences * heads * positions * positions);
    return { packed: this.#packed(), weights: pieces(weights, sequences * heads) };
  }

  /** mixed: sequences · positions × 3 width → output: sequences · positions × width. */
  forward(
    mixed: Float32Array,
    output: Float32Array,
    sequences: number,
    { packed, weights }: AttentionTrace,
  ): void {
    const { positions, heads } = this.#shape;
    const [length, kernels] = [this.#size, this.#kernels];
    const byPosition = { matrices: sequences, rows: positions, columns: 3 * heads, length };
    kernels.swapPieces(mixed, packed.all, byPosition);
    for (let head = 0; head < sequences * heads; head++) {
      const [{ query, key, value }, seen] = [packed.heads[head]!, weights[head]!];
      kernels.multiply(query, key, seen, this.#square, { transposeB: true });
      kernels.causalSoftmax(seen, positions, 1 / Math.sqrt(length));
      kernels.multiply(seen, value, this.#contexts.heads[head]!, this.#flat);
    }
    const byHead = { matrices: sequences, rows: heads, columns: positions, length };
    kernels.swapPieces(this.#contexts.all, output, byHead);
  }

  /** outputGradient: dL/d(output) → dL/d(mixed), for the forward pass that left `trace`. */
  backward(
    outputGradient: Float32Array,
    mixedGradient: Float32Array,
    sequences: number,
    { packed, weights }: AttentionTrace,
  ): void {
    const { positions, heads } = this.#shape;
    const [length, kernels] = [this.#size, this.#kernels];
    const byPosition = { matrices: sequences, rows: positions, columns: heads, length };
    kernels.swapPieces(outputGradient, this.#contexts.all, byPosition);
    for (let head = 0; head < sequences * heads; head++)
      this.#headBackward(packed.heads[head]!, weights[head]!, head);
    const byHead = { matrices: sequences, rows: 3 * heads, columns: positions, length };
    kernels.swapPieces(this.#gradient.all, mixedGradient, byHead);
  }

  #headBackward({ query, key, value }: Head, weights: Float32Array, head: number): void {
    const kernels = this.#kernels;
    const [gradient, contextGradient] = [this.#gradient.heads[head]!, this.#contexts.heads[head]!];
    kernels.multiply(weights, contextGradient, gradient.value, this.#flat, { transposeA: true });
    kernels.multiply(contextGradient, value, this.#scores, this.#square, { transposeB: true });
    kernels.causalSoftmaxBackward(weights, this.#scores, this.#shape.positions, 1 / Math.sqrt(this.#size));
    kernels.multiply(this.#scores, key, gradient.query, this.#flat);
    kernels.multiply(this.#scores, query, gradient.key, this.#flat, { transposeA: true });
  }

  get #size(): number {
    return this.#shape.width / this.#shape.heads;
  }

  get #square() {
    const { positions } = this.#shape;
    return { rows: positions, inner: this.#size, columns: positions };
  }

  get #flat() {
    const { positions } = this.#shape;
    return { rows: positions, inner: positions, columns: this.#size };
  }

  #packed(): Packed {
    const { sequences, positions, width, heads } = this.#shape;
    const all = this.#kernels.allocate(sequences * positions * 3 * width);
    const parts = pieces(all, sequences * 3 * heads);
    const ofSequence = Array.from({ length: sequences }, (_, i) => parts.slice(3 * heads * i));
    return {
      all,
      heads: ofSequence.flatMap((own) =>
        Array.from({ length: heads }, (_, head) => {
          const [query, key, value] = [own[head]!, own[heads + head]!, own[2 * heads + head]!];
          return { query, key, value };
        }),
      ),
    };
  }
}

/** As many parts of the array, of the same length. */
function pieces(array: Float32Array, count: number): Float32Array[] {
  const length = array.length / count;
  return Array.from({ length: count }, (_, i) => array.subarray(i * length, (i + 1) * length));
}
