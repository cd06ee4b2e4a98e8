import type { DataFacts } from "../../shared/data/data-set-kind.ts";
import { textDecoder } from "../../shared/data/decode-text.ts";
import { encodeText } from "../../shared/data/encode.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { Evaluation } from "../model/evaluation.ts";
import type { Model } from "../model/model.ts";

/** A trained network that says of a text what may come next. */
export class LanguageModel {
  readonly #network: Evaluation;
  readonly #facts: DataFacts;
  readonly #vocabulary: number;
  readonly #input: Float32Array;

  /** Throws a RangeError unless the data are sequences of ids. */
  constructor(kernels: Kernels, model: Model) {
    const { sequence } = model.facts;
    if (!sequence) throw new RangeError(`Cannot write text: ${model.run} learnt from none`);
    this.#network = new Evaluation(kernels, model, 1);
    this.#facts = model.facts;
    this.#vocabulary = sequence.vocabulary;
    this.#input = new Float32Array(sequence.positions);
  }

  /** Throws an EncodeError that names a character which it does not know. */
  encode(text: string): number[] {
    return [...encodeText(this.#facts, text)];
  }

  /** Ids → text, as they come. */
  decoder(): (id: number) => string {
    return textDecoder(this.#facts);
  }

  /** A logit for each id that may follow these, of which there is at least one; only the last ones count. */
  next(ids: readonly number[]): Float32Array {
    const seen = ids.slice(-this.#input.length);
    // What stands after them is not looked at: attention is causal.
    this.#input.fill(0).set(seen);
    const start = (seen.length - 1) * this.#vocabulary;
    return this.#network.logits(this.#input, 1).subarray(start, start + this.#vocabulary);
  }
}
