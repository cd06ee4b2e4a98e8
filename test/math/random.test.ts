import { describe, expect, it } from "vitest";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { range } from "./double-oracle.ts";

describe("seededRandom", () => {
  it("repeats itself for the same words", () => {
    const [a, b] = [seededRandom(3, 14, 15), seededRandom(3, 14, 15)];
    expect(range(100).map(a)).toEqual(range(100).map(b));
  });

  it("gives other words another sequence: their order, their number, and every bit of them count", () => {
    const words = [[0], [1], [0, 0], [0, 1], [1, 0], [0, 1, 0], [2 ** 32], [2 ** 40 + 1], [-1]];
    const firsts = words.map((word) => seededRandom(...word)());
    expect(new Set(firsts).size).toBe(words.length);
  });

  it("fills [0, 1) evenly, for neighbouring seeds too", () => {
    const counts = new Array(10).fill(0);
    for (const seed of range(1000)) {
      const random = seededRandom(seed);
      for (const _ of range(10)) counts[Math.floor(random() * 10)]++;
    }
    // 1000 expected in each tenth, with a deviation of 30.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(counts).toHaveLength(10);
  });
});

describe("normal", () => {
  it("has mean 0, variance 1 and the right share beyond one deviation", () => {
    const random = seededRandom(9);
    const draws = range(20_000).map(() => normal(random));
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((a, b) => a + b * b, 0) / draws.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    expect(Math.abs(draws.filter((x) => Math.abs(x) > 1).length / draws.length - 0.3173)).toBeLessThan(0.02);
  });

  it("is finite at both ends of its random numbers", () => {
    expect(normal(() => 0)).toBeCloseTo(0, 12);
    expect(Number.isFinite(normal(() => 1 - 2 ** -32))).toBe(true);
  });
});
