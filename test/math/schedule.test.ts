import { describe, expect, it } from "vitest";
import { rateAt } from "../../shared/math/schedule.ts";

describe("rateAt", () => {
  it("stays constant", () => {
    const options = { rate: 0.1, schedule: { kind: "constant" } } as const;
    expect([0, 7, 100].map((batch) => rateAt(options, batch, 10))).toEqual([0.1, 0.1, 0.1]);
  });

  it("goes to zero by half a cosine, and stays there", () => {
    const options = { rate: 0.2, schedule: { kind: "cosine" } } as const;
    expect(rateAt(options, 0, 100)).toBe(0.2);
    expect(rateAt(options, 25, 100)).toBeCloseTo(0.1 * (1 + Math.SQRT1_2), 12);
    expect(rateAt(options, 50, 100)).toBeCloseTo(0.1, 12);
    expect(rateAt(options, 100, 100)).toBe(0);
    expect(rateAt(options, 150, 100)).toBe(0);
  });

  it("steps at its batches, and not one before", () => {
    const options = { rate: 8, schedule: { kind: "step", at: [10, 20], factor: 0.5 } } as const;
    expect([0, 9, 10, 19, 20, 99].map((batch) => rateAt(options, batch, 100))).toEqual([8, 8, 4, 4, 2, 2]);
  });
});
