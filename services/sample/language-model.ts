import type { SavedNetwork } from "../../shared/checkpoint/saved-network.ts";
import type { Config } from "../../shared/config/config.ts";
import { type DataFacts, dataFacts } from "../../shared/config/data-facts.ts";
import { encodeText } from "../../shared/data/encode.ts";
import type { Layer } from "../../shared/dni/build-layer.ts";
import type { Head } from "../../shared/dni/head.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import type { Kernels } from "../../shared/math/kernels.ts";

/** A trained network that says of a text what may come next. */
export class LanguageModel {
  readonly #hidden: readonly Exclude<Layer, Head>[];
  readonly #head: Head;
  readonly #input: Float32Array;
  readonly #facts: DataFacts;
  readonly #vocabulary: number;

  /** Throws a RangeError unless the data are sequences of ids. */
  constructor(kernels: Kernels, config: Config, { layers }: SavedNetwork) {
    this.#facts = dataFacts(config.data);
    const { sequence } = this.#facts;
    if (!sequence) throw new RangeError(`Cannot write text: the network learnt from ${config.data.set}`);
    const one = { ...config, run: { ...config.run, batchSize: 1 } };
    const built = layers.map((state, index) => {
      const layer = buildLayer(kernels, one, index + 1);
      layer.restore(state);
      return layer;
    });
    this.#hidden = built.slice(0, -1) as Exclude<Layer, Head>[];
    this.#head = built.at(-1) as Head;
    this.#input = kernels.allocate(sequence.positions);
    this.#vocabulary = sequence.vocabulary;
  }

  /** Throws an EncodeError that names a character which it does not know. */
  encode(text: string): number[] {
    return [...encodeText(this.#facts, text)];
  }

  /** Ids → text, as they come; an id of a byte may have to wait for the next. */
  decoder(): (id: number) => string {
    const { characters } = this.#facts;
    if (characters !== undefined) {
      const vocabulary = [...characters];
      return (id) => vocabulary[id]!;
    }
    const decoder = new TextDecoder();
    return (byte) => decoder.decode(Uint8Array.of(byte), { stream: true });
  }

  /** A logit for each id that may follow these, of which there is at least one; only the last ones count. */
  next(ids: readonly number[]): Float32Array {
    const seen = ids.slice(-this.#input.length);
    // What stands after them is not looked at: attention is causal.
    this.#input.fill(0).set(seen);
    let values = this.#input;
    for (const layer of this.#hidden) values = layer.evaluate({ rows: 1, input: values, labels: values });
    const start = (seen.length - 1) * this.#vocabulary;
    return this.#head.output({ rows: 1, input: values }).subarray(start, start + this.#vocabulary);
  }
}
