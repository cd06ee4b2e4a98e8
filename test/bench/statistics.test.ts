import { describe, expect, it } from "vitest";
import { alternate, median, ratioOf, spreadOf } from "../../bench/harness/statistics.ts";

describe("figures over rounds", () => {
  it("the median is in the middle, or between the two in the middle", () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 100])).toBe(3);
    expect(median([])).toBeNaN();
  });

  it("a spread holds the extremes as well", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  });

  it("ratios are taken round by round, so that a round which slowed both counts as any other", () => {
    expect(ratioOf([10, 1, 10], [5, 0.5, 5])).toEqual({ median: 2, least: 2, most: 2 });
  });

  it("candidates take turns, backwards in every other round, and warm-up counts for nothing", async () => {
    const order: string[] = [];
    const candidate = (name: string) => async () => order.push(name);
    const found = await alternate({ a: candidate("a"), b: candidate("b") }, { rounds: 2, warmUp: 1 });
    expect(order).toEqual(["b", "a", "a", "b", "b", "a"]);
    expect(found).toEqual({ a: [3, 6], b: [4, 5] });
  });
});
