import { describe, expect, it } from "vitest";
import { drawer } from "../../shared/math/draw.ts";

const logits = Float32Array.of(1, 3, 2, -1);
const DRAWS = 20_000;

/** How often each place was drawn. */
function shares(temperature: number, topK = Number.POSITIVE_INFINITY): number[] {
  const draw = drawer(7, { temperature, topK });
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < DRAWS; i++) counts[draw(logits)]! += 1;
  return counts.map((count) => count / DRAWS);
}

/** softmax(logits / temperature) over those that are left. */
function probabilities(temperature: number, left: readonly number[]): number[] {
  const weights = Array.from(logits, (logit, i) => (left.includes(i) ? Math.exp(logit / temperature) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

describe("a draw", () => {
  it.each([
    [1, undefined, [0, 1, 2, 3]],
    [0.5, undefined, [0, 1, 2, 3]],
    [3, 2, [1, 2]],
  ])("at temperature %f from the %s likeliest follows their probabilities", (temperature, topK, left) => {
    const expected = probabilities(temperature, left);
    for (const [place, share] of shares(temperature, topK).entries())
      expect(Math.abs(share - expected[place]!)).toBeLessThan(0.015);
  });

  it("is the likeliest at temperature 0, and from one", () => {
    expect(shares(0)).toEqual([0, 1, 0, 0]);
    expect(shares(5, 1)).toEqual([0, 1, 0, 0]);
  });
});
