import type { Batch, DataSet } from "./data-set.ts";
import { countParts, rowsOfPart } from "./parts.ts";
import { integerBelow, randomStream, Stream } from "./random.ts";

/**
 * The examples of a text, each known by the place where it begins. Those to train on begin before `trained`, and are drawn by
 * seed and number of the batch; those of an evaluation begin at `heldOut`, always the same.
 */
export abstract class TextPlaces implements DataSet {
  readonly inputScale = 1;
  readonly #trained: number;
  readonly #heldOut: readonly number[];

  constructor(trained: number, heldOut: readonly number[]) {
    this.#trained = trained;
    this.#heldOut = heldOut;
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    const random = randomStream(Stream.training, seed, number);
    return this.write(Array.from({ length: batchSize }, () => integerBelow(random, this.#trained)));
  }

  evaluationParts(batchSize: number): number {
    return countParts(this.#heldOut.length, batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    const { from, rows } = rowsOfPart(this.#heldOut.length, part, batchSize);
    return this.write(this.#heldOut.slice(from, from + rows));
  }

  protected abstract write(starts: readonly number[]): Batch;
}
