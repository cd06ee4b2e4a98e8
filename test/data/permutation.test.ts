import { describe, expect, it } from "vitest";
import { EpochOrders, permutation } from "../../shared/data/permutation.ts";

describe("an epoch's order", () => {
  it("names every example exactly once", () => {
    expect([...permutation(1000, 7, 3)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it("depends on seed and epoch, and on nothing else", () => {
    expect(permutation(100, 7, 3)).toEqual(permutation(100, 7, 3));
    expect(permutation(100, 7, 3)).not.toEqual(permutation(100, 7, 4));
    expect(permutation(100, 7, 3)).not.toEqual(permutation(100, 8, 3));
  });

  it("puts every example at every place about equally often", () => {
    const places = 5;
    const epochs = 20_000;
    const counts = Array.from({ length: places }, () => new Array<number>(places).fill(0));
    for (let epoch = 0; epoch < epochs; epoch++) {
      permutation(places, 1, epoch).forEach((example, place) => {
        counts[place]![example]!++;
      });
    }
    // Standard deviation of a count of 20,000 draws at 1/5 is 57; five of them.
    for (const count of counts.flat()) expect(Math.abs(count - epochs / places)).toBeLessThan(283);
  });

  it("is the same from memory as drawn anew, also after a rewind", () => {
    const orders = new EpochOrders(50);
    const asked = [
      [1, 0],
      [1, 1],
      [1, 0],
      [2, 0],
      [1, 0],
    ] as const;
    for (const [seed, epoch] of asked) expect(orders.of(seed, epoch)).toEqual(permutation(50, seed, epoch));
    expect(orders.of(1, 0)).toBe(orders.of(1, 0));
  });
});
