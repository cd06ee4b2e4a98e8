import { describe, expect, it } from "vitest";
import { simulate } from "../../bench/scale/chain.ts";
import type { ScaleOptions } from "../../bench/scale/findings.ts";

const FREE: ScaleOptions = {
  ...{ layers: 4, seed: 3, horizonMs: 20_000, linkMs: 10, failureMs: Number.POSITIVE_INFINITY },
  stalenessBudget: 64,
};

describe("a chain in virtual time", () => {
  it("is as fast as its window and its links let it be", () => {
    // Four batches in each round trip of 20 ms and 5 ms of work, less jitter; without way, one every 6 ms.
    const rate = (options: Partial<ScaleOptions>) => simulate({ ...FREE, ...options }).fed / 20;
    expect(rate({})).toBeGreaterThan(100);
    expect(rate({})).toBeLessThan(4 / 0.025);
    expect(rate({ linkMs: 50 })).toBeLessThan(4 / 0.1);
    expect(rate({ linkMs: 0.1 })).toBeLessThanOrEqual(1000 / 6 + 1);
  });

  it("learns each batch once and in order, whatever dies, and comes back", () => {
    const found = simulate({ ...FREE, failureMs: 30_000, horizonMs: 120_000 });
    expect(found.deaths).toBeGreaterThan(3);
    expect(found.violations).toEqual([]);
    expect(found.learnt).toBeGreaterThan(0);
    expect(found.backMs).toBeGreaterThan(10_000);
    expect(found.learnt).toBeLessThan(simulate({ ...FREE, horizonMs: 120_000 }).learnt);
  });

  it("is the same again from the same seed", () => {
    const options = { ...FREE, failureMs: 10_000 };
    expect(simulate(options)).toEqual(simulate(options));
    expect(simulate(options)).not.toEqual(simulate({ ...options, seed: 4 }));
  });
});
