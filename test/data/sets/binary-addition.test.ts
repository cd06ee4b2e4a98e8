import { describe, expect, it } from "vitest";
import type { Batch } from "../../../shared/data/data-set.ts";
import { BinaryAddition } from "../../../shared/data/sets/binary-addition.ts";

/** The rows of a batch as numbers, read off as a person would: highest bit first. */
function decode({ rows, input, labels }: Batch, bits: number) {
  const read = (from: ArrayLike<number>, at: number, count: number) =>
    Number.parseInt(Array.from({ length: count }, (_, bit) => from[at + bit]).join(""), 2);
  return Array.from({ length: rows }, (_, row) => ({
    left: read(input, row * 2 * bits, bits),
    right: read(input, row * 2 * bits + bits, bits),
    sum: read(labels, row * (bits + 1), bits + 1),
  }));
}

describe("binary addition", () => {
  it.each([1, 4, 8, 11, 24])("gives sums of %i bits that add up, and not a constant", (bits) => {
    const set = new BinaryAddition(bits, 1);
    const rows = decode(set.batch(1, 0, 500), bits);
    for (const { left, right, sum } of rows) expect(sum).toBe(left + right);
    expect(new Set(rows.map(({ sum }) => sum)).size).toBeGreaterThan(1);
    expect([set.inputWidth, set.labelWidth]).toEqual([2 * bits, bits + 1]);
  });

  it("gives the same batch for the same seed and number, and others for others", () => {
    const batch = new BinaryAddition(8, 100).batch(3, 17, 64);
    const again = new BinaryAddition(8, 100);
    again.batch(3, 18, 64);
    expect(again.batch(3, 17, 64)).toEqual(batch);
    expect(again.batch(3, 18, 64)).not.toEqual(batch);
    expect(again.batch(4, 17, 64)).not.toEqual(batch);
  });

  it("never trains on a held-out pair, in 100,000 rows, and still on nearly all others", () => {
    const set = new BinaryAddition(8, 2000);
    const heldOut = pairsIn(Array.from({ length: 8 }, (_, part) => set.evaluationPart(part, 256)));
    const trained = pairsIn(Array.from({ length: 400 }, (_, number) => set.batch(1, number, 250)));
    expect(set.evaluationParts(256)).toBe(8);
    expect(heldOut.size).toBe(2000);
    expect([...heldOut].filter((pair) => trained.has(pair))).toEqual([]);
    // 100,000 draws from 63,536 pairs meet a fraction 1 − e^(−1.574) = 0.793 of them.
    expect(trained.size / 63_536).toBeCloseTo(0.793, 1);
  });

  it("draws every bit about as often 1 as 0", () => {
    const { input, rows } = new BinaryAddition(8, 1).batch(9, 2, 20_000);
    for (let bit = 0; bit < 16; bit++) {
      let ones = 0;
      for (let row = 0; row < rows; row++) ones += input[16 * row + bit]!;
      // Standard deviation 71; five of them.
      expect(Math.abs(ones - 10_000)).toBeLessThan(354);
    }
  });

  it("has no epochs", () => {
    expect(new BinaryAddition(8, 1).batchesPerEpoch(64)).toBeUndefined();
  });

  it("refuses to hold out more than half of all pairs, for training would hardly find another", () => {
    expect(new BinaryAddition(2, 8).evaluationParts(8)).toBe(1);
    expect(() => new BinaryAddition(2, 9)).toThrow(
      "Cannot hold out 9 pairs of 2-bit numbers: expected 1 to 8",
    );
    expect(() => new BinaryAddition(25, 9)).toThrow("Cannot add numbers of 25 bits: expected 1 to 24");
  });
});

function pairsIn(batches: Batch[]): Set<number> {
  return new Set(batches.flatMap((batch) => decode(batch, 8).map(({ left, right }) => 256 * left + right)));
}

describe("addition of fixed pairs", () => {
  const fixed = new BinaryAddition(6, 100, 25);
  const epoch = (seed: number, from: number) =>
    [0, 1, 2].map((number) => fixed.batch(seed, from + number, 10));

  it("shows the same pairs in the same order in every epoch, the last batch short", () => {
    expect(fixed.batchesPerEpoch(10)).toBe(3);
    expect(epoch(1, 0).map(({ rows }) => rows)).toEqual([10, 10, 5]);
    expect(epoch(1, 3)).toEqual(epoch(1, 0));
  });

  it("draws them from the seed, none that is held out, and adds them up", () => {
    expect(epoch(2, 0)).not.toEqual(epoch(1, 0));
    expect(new BinaryAddition(6, 100, 25).batch(1, 0, 10)).toEqual(fixed.batch(1, 0, 10));
    const numberOf = (bits: Iterable<number>) => [...bits].reduce((number, bit) => 2 * number + bit, 0);
    const heldOut = fixed.evaluationPart(0, 100);
    const held = new Set(
      Array.from({ length: 100 }, (_, row) => String(heldOut.input.subarray(row * 12, row * 12 + 12))),
    );
    for (const { rows, input, labels } of epoch(1, 0)) {
      for (let row = 0; row < rows; row++) {
        const bits = input.subarray(row * 12, row * 12 + 12) as Uint8Array;
        expect(held.has(String(bits))).toBe(false);
        expect(numberOf(labels.subarray(row * 7, row * 7 + 7))).toBe(
          numberOf(bits.subarray(0, 6)) + numberOf(bits.subarray(6)),
        );
      }
    }
  });
});
