import { expect, test } from "vitest";
import { backoffMs } from "../../shared/link/backoff.ts";

const bounds = { first: 50, most: 2000 };

test("waits twice as long at most after each failure, up to the bound", () => {
  const longest = (attempt: number) => backoffMs(attempt, bounds, () => 1);
  expect([1, 2, 3, 4, 5, 6, 7].map(longest)).toEqual([50, 100, 200, 400, 800, 1600, 2000]);
});

test("uses all of the range from 0, so that layers do not return in step", () => {
  expect(backoffMs(3, bounds, () => 0)).toBe(0);
  expect(backoffMs(3, bounds, () => 0.25)).toBe(50);
});

test("stays at the bound for ever", () => {
  expect(backoffMs(1_000_000, bounds, () => 0.999)).toBeCloseTo(1998);
});
