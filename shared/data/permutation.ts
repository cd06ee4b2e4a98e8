import { integerBelow, randomStream, Stream } from "./random.ts";

/** The order of one epoch's examples: a permutation of 0 … length − 1 that depends on seed and epoch alone. */
export function permutation(length: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const random = randomStream(Stream.shuffle, seed, epoch);
  for (let last = length - 1; last > 0; last--) {
    const other = integerBelow(random, last + 1);
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}

/** Remembers the order last asked for, and no other: a run, even one that rewinds, stays in one epoch for long. */
export class EpochOrders {
  readonly #length: number;
  #last: { readonly seed: number; readonly epoch: number; readonly order: Uint32Array } | undefined;

  constructor(length: number) {
    this.#length = length;
  }

  of(seed: number, epoch: number): Uint32Array {
    if (this.#last?.seed !== seed || this.#last.epoch !== epoch) {
      this.#last = { seed, epoch, order: permutation(this.#length, seed, epoch) };
    }
    return this.#last.order;
  }
}
