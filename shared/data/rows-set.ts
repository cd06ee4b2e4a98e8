import type { Batch, DataSet } from "./data-set.ts";
import type { Examples } from "./examples.ts";
import { countParts } from "./parts.ts";

/** A data set that has its examples by the row: what it holds is `gather`, which rows they are its `examples` say. */
export abstract class RowsSet implements DataSet {
  readonly inputScale: number;
  readonly #examples: Examples;

  constructor(inputScale: number, examples: Examples) {
    this.inputScale = inputScale;
    this.#examples = examples;
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    return this.gather(this.#examples.batch(seed, number, batchSize));
  }

  evaluationParts(batchSize: number): number {
    return countParts(this.#examples.heldOut, batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    return this.gather(this.#examples.evaluationPart(part, batchSize));
  }

  protected abstract gather(rows: readonly number[]): Batch;
}
