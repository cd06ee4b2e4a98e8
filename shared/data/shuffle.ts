import { randomStream } from "./random.ts";

const ROUNDS = 6;

/**
 * A permutation of 0 … length − 1 that depends on `keys` alone and takes no memory, whatever the length (up to 2³²): a Feistel
 * network over the next power of four, walked along until it is back within the length.
 */
export class Shuffle {
  readonly length: number;
  readonly #half: number;
  readonly #mask: number;
  readonly #keys: readonly number[];

  constructor(length: number, ...keys: readonly number[]) {
    this.length = length;
    this.#half = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2));
    this.#mask = 2 ** this.#half - 1;
    const random = randomStream(...keys);
    this.#keys = Array.from({ length: ROUNDS }, random);
  }

  /** Where `index` goes. */
  at(index: number): number {
    let place = index;
    do place = this.#once(place);
    while (place >= this.length);
    return place;
  }

  #once(place: number): number {
    let left = Math.floor(place / 2 ** this.#half);
    let right = place & this.#mask;
    for (const key of this.#keys) [left, right] = [right, left ^ (scrambled(right, key) & this.#mask)];
    return left * 2 ** this.#half + right;
  }
}

function scrambled(word: number, key: number): number {
  let mixed = (word + key) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
