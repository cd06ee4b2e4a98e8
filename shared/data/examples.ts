import { countParts, rowsOfPart } from "./parts.ts";
import { Stream } from "./random.ts";
import { Shuffle } from "./shuffle.ts";

/** Which of the rows are held out: so many of them, drawn by a seed; or the last, where they are a file of their own. */
type HeldOut = { readonly count: number; readonly seed: number } | { readonly last: number };

/** Which rows each batch and each part of an evaluation has: pure functions that keep no list of them. */
export class Examples {
  readonly training: number;
  readonly heldOut: number;
  readonly #split: Shuffle | undefined;
  #epoch: { readonly seed: number; readonly number: number; readonly order: Shuffle } | undefined;

  constructor(rows: number, heldOut: HeldOut) {
    this.heldOut = "last" in heldOut ? heldOut.last : heldOut.count;
    this.training = rows - this.heldOut;
    this.#split = "last" in heldOut ? undefined : new Shuffle(rows, Stream.heldOut, heldOut.seed);
  }

  /** The rows of training batch `number`; the last batch of an epoch is short where the sizes do not divide. */
  batch(seed: number, number: number, batchSize: number): number[] {
    const perEpoch = countParts(this.training, batchSize);
    const order = this.#orderOf(seed, Math.floor(number / perEpoch));
    const { from, rows } = rowsOfPart(this.training, number % perEpoch, batchSize);
    return Array.from({ length: rows }, (_, row) => this.trainingRow(order.at(from + row)));
  }

  evaluationPart(part: number, batchSize: number): number[] {
    const { from, rows } = rowsOfPart(this.heldOut, part, batchSize);
    return Array.from({ length: rows }, (_, row) => this.heldOutRow(from + row));
  }

  trainingRow(index: number): number {
    return this.#split ? this.#split.at(this.heldOut + index) : index;
  }

  heldOutRow(index: number): number {
    return this.#split ? this.#split.at(index) : this.training + index;
  }

  /** Remembers the order last asked for, and no other: a run stays in one epoch for long. */
  #orderOf(seed: number, number: number): Shuffle {
    if (this.#epoch?.seed !== seed || this.#epoch.number !== number) {
      const order = new Shuffle(this.training, Stream.shuffle, seed, number);
      this.#epoch = { seed, number, order };
    }
    return this.#epoch.order;
  }
}

/** So many of the rows as a share says, at least one, and one is left to train on. */
export function heldOutCount(rows: number, share: number): number {
  return Math.max(1, Math.min(rows - 1, Math.round(rows * share)));
}
