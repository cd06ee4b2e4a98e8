import { wholeFrom } from "../../schema/fields.ts";
import type { Batch, DataSet } from "../data-set.ts";
import { dataSetKind } from "../data-set-kind.ts";
import { countParts, rowsOfPart } from "../parts.ts";
import { integerBelow, type Random, randomStream, Stream } from "../random.ts";

/** Above this a pair of numbers no longer fits a safe integer. */
const mostBits = 24;

export const binaryAddition = dataSetKind({
  about: "Two numbers and the bits of their sum; endless.",
  fields: {
    bits: wholeFrom(1, mostBits)
      .default(8)
      .describe("Bits of each number: 2 · bits inputs, bits + 1 outputs, highest bit first."),
    heldOut: wholeFrom(1, 1_000_000)
      .default(2000)
      .describe("Pairs of numbers to evaluate on, never trained on; at most half of all pairs."),
    pairs: wholeFrom(1, 10_000_000)
      .optional()
      .describe(
        "Train on so many fixed pairs, again and again in the same order. Default an endless stream.",
      ),
  },

  complete({ bits, heldOut, pairs }, refuse) {
    const most = 4 ** bits / 2;
    const what = `of ${2 * most} pairs of ${bits}-bit numbers at most half can be held out, ${most}`;
    if (heldOut > most) refuse("heldOut", heldOut, what);
    return { bits, heldOut, ...(pairs !== undefined && { pairs }) };
  },

  facts({ bits, pairs }) {
    return {
      inputWidth: 2 * bits,
      labelWidth: bits + 1,
      inputType: "u8",
      judged: "bits",
      trainingExamples: pairs,
    };
  },

  open({ bits, heldOut, pairs }) {
    return new BinaryAddition(bits, heldOut, pairs);
  },
});

/**
 * The problem of Trask's tutorial, at any width: two uniform numbers of `bits` bits, each written with its highest bit
 * first, and their sum of bits + 1 bits. An endless stream; or, as in the tutorial, the same `pairs` again and again in the
 * same order, drawn from the seed. The `heldOut` distinct pairs are drawn once, whatever the seed, and never trained
 * on. The pair (a, b) held out says nothing of (b, a).
 */
export class BinaryAddition implements DataSet {
  readonly inputWidth: number;
  readonly labelWidth: number;
  readonly inputScale = 1;
  readonly #bits: number;
  readonly #heldOut: ReadonlySet<number>;
  readonly #heldOutPairs: readonly number[];
  readonly #pairs: number | undefined;
  /** Those last asked for: a run has one seed. */
  #fixed: { readonly seed: number; readonly pairs: readonly number[] } | undefined;

  /** Throws a RangeError for a width that is not 1 to 24, or when more than half of all pairs are to be held out. */
  constructor(bits: number, heldOut: number, pairs?: number) {
    checkSizes(bits, heldOut);
    this.#pairs = pairs;
    this.#bits = bits;
    this.inputWidth = 2 * bits;
    this.labelWidth = bits + 1;
    this.#heldOut = drawDistinct(randomStream(Stream.heldOut, bits), bits, heldOut);
    this.#heldOutPairs = [...this.#heldOut];
  }

  batchesPerEpoch(batchSize: number): number | undefined {
    return this.#pairs === undefined ? undefined : countParts(this.#pairs, batchSize);
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    if (this.#pairs !== undefined) return this.#fixedBatch(seed, number, batchSize, this.#pairs);
    const random = randomStream(Stream.training, seed, number);
    return this.#write(Array.from({ length: batchSize }, () => this.#drawForTraining(random)));
  }

  evaluationParts(batchSize: number): number {
    return countParts(this.#heldOutPairs.length, batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    const { from, rows } = rowsOfPart(this.#heldOutPairs.length, part, batchSize);
    return this.#write(this.#heldOutPairs.slice(from, from + rows));
  }

  #fixedBatch(seed: number, number: number, batchSize: number, count: number): Batch {
    if (this.#fixed?.seed !== seed) {
      const random = randomStream(Stream.training, seed);
      this.#fixed = { seed, pairs: Array.from({ length: count }, () => this.#drawForTraining(random)) };
    }
    const { from, rows } = rowsOfPart(count, number % countParts(count, batchSize), batchSize);
    return this.#write(this.#fixed.pairs.slice(from, from + rows));
  }

  #drawForTraining(random: Random): number {
    for (;;) {
      const pair = drawPair(random, this.#bits);
      if (!this.#heldOut.has(pair)) return pair;
    }
  }

  #write(pairs: readonly number[]): Batch {
    const input = new Uint8Array(pairs.length * this.inputWidth);
    const labels = new Uint8Array(pairs.length * this.labelWidth);
    pairs.forEach((pair, row) => {
      const left = Math.floor(pair / 2 ** this.#bits);
      const right = pair % 2 ** this.#bits;
      writeBits(input, row * this.inputWidth, left, this.#bits);
      writeBits(input, row * this.inputWidth + this.#bits, right, this.#bits);
      writeBits(labels, row * this.labelWidth, left + right, this.#bits + 1);
    });
    return { rows: pairs.length, input, labels };
  }
}

/** left · 2^bits + right. */
function drawPair(random: Random, bits: number): number {
  const left = integerBelow(random, 2 ** bits);
  return left * 2 ** bits + integerBelow(random, 2 ** bits);
}

function drawDistinct(random: Random, bits: number, count: number): Set<number> {
  const pairs = new Set<number>();
  while (pairs.size < count) pairs.add(drawPair(random, bits));
  return pairs;
}

function writeBits(row: Uint8Array, from: number, number: number, bits: number): void {
  for (let bit = 0; bit < bits; bit++) row[from + bit] = (number >>> (bits - 1 - bit)) & 1;
}

function checkSizes(bits: number, heldOut: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > mostBits) {
    throw new RangeError(`Cannot add numbers of ${bits} bits: expected 1 to ${mostBits}`);
  }
  const most = 4 ** bits / 2;
  if (!Number.isInteger(heldOut) || heldOut < 1 || heldOut > most) {
    throw new RangeError(`Cannot hold out ${heldOut} pairs of ${bits}-bit numbers: expected 1 to ${most}`);
  }
}
