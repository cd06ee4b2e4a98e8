import { describe, expect, it } from "vitest";
import { beliefOf, percent, truthOf } from "../../../services/page/ask/beliefs.ts";
import { centred, type Picture } from "../../../services/page/ask/centre.ts";
import type { DataFacts } from "../../../shared/config/data-facts.ts";

const facts = { inputWidth: 4, inputType: "f32", trainingExamples: 1 } as const;
const digits: DataFacts = { ...facts, labelWidth: 3, judged: "class" };

/** A bar of ink in a picture of 60 × 60. */
function bar(left: number, top: number, width: number, height: number): Picture {
  const pixels = new Uint8Array(60 * 60);
  for (let y = top; y < top + height; y++) pixels.fill(255, y * 60 + left, y * 60 + left + width);
  return { width: 60, height: 60, pixels };
}

function inkOf(pixels: readonly number[], width: number) {
  const at = pixels.flatMap((value, index) => (value > 0 ? [index] : []));
  const [xs, ys] = [at.map((index) => index % width), at.map((index) => Math.floor(index / width))];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

describe("what was drawn", () => {
  it.each<[string, Picture]>([
    ["small and in a corner", bar(2, 3, 4, 12)],
    ["large and in the middle", bar(20, 5, 16, 48)],
  ])("%s becomes 20 pixels high, in the middle of 28 × 28", (_, drawn) => {
    const pixels = centred(drawn, 28, 28);
    expect(pixels).toHaveLength(28 * 28);
    expect(pixels.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
    const { left, right, top, bottom } = inkOf(pixels, 28);
    expect(bottom - top + 1).toBe(20);
    expect(Math.abs(top + bottom - 27)).toBeLessThanOrEqual(1);
    expect(Math.abs(left + right - 27)).toBeLessThanOrEqual(1);
    expect(right - left + 1).toBe(7);
  });

  it("is black where nothing was", () => {
    expect(centred(bar(0, 0, 0, 0), 28, 28)).toEqual(Array(784).fill(0));
  });
});

describe("a belief", () => {
  it("of classes is the likeliest, by the name that the data give it", () => {
    const named = { ...digits, labels: [{ name: "cat" }, { name: "dog" }, { name: "cow" }] };
    const { says, sure, bars } = beliefOf([0.1, 0.7, 0.2], named);
    expect([says, sure]).toEqual(["dog", "70 %"]);
    expect(bars.map(({ name, isBest }) => [name, isBest])).toEqual([
      ["cat", false],
      ["dog", true],
      ["cow", false],
    ]);
    expect(beliefOf([0.1, 0.7, 0.2], digits).says).toBe("1");
    expect(truthOf([0, 0, 1], named)).toBe("cow");
  });

  it("of many classes shows the ten likeliest, the likeliest first", () => {
    const { bars } = beliefOf([...Array(30).fill(0.01), 0.7], { ...digits, labelWidth: 31 });
    expect(bars).toHaveLength(10);
    expect(bars[0]).toMatchObject({ name: "30", isBest: true });
  });

  it("of bits is all of them, as sure as that all are right", () => {
    const bits = { ...digits, judged: "bits" } as const;
    expect(beliefOf([0.9, 0.1, 0.5 + 1e-9], bits)).toMatchObject({ says: "101", sure: "41 %" });
    const labels = [{ name: "has fur" }, { name: "barks" }, { name: "flies" }];
    expect(beliefOf([0.9, 0.8, 0.1], { ...bits, labels }).says).toBe("has fur, barks");
    expect(beliefOf([0.1, 0.1, 0.1], { ...bits, labels }).says).toBe("none of them");
  });

  it("of values is in their own units, and no more sure than that", () => {
    const labels = [{ name: "price", mean: 100, deviation: 20 }];
    const { says, sure } = beliefOf([0.5], { ...digits, judged: "values", labelWidth: 1, labels });
    expect([says, sure]).toEqual(["price 110.0", undefined]);
  });

  it("of a text is the next character, and what came next is that of the last position", () => {
    const letters = {
      ...digits,
      sequence: { positions: 2, vocabulary: 3 },
      characters: "a \n",
      labelWidth: 6,
    };
    expect(beliefOf([0.2, 0.7, 0.1], letters).says).toBe("space");
    expect(truthOf([1, 0, 0, 0, 0, 1], letters)).toBe("new line");
  });

  it("of the last characters of a text is the next one", () => {
    const letters = { ...digits, window: 2, inputWidth: 6, characters: "a \n" };
    expect(beliefOf([0.2, 0.7, 0.1], letters).says).toBe("space");
    expect(truthOf([1, 0, 0], letters)).toBe("a");
  });

  it("is never said to be certain", () => {
    expect([percent(1), percent(0.9999), percent(0.994)]).toEqual(["100 %", "> 99 %", "99 %"]);
  });
});
