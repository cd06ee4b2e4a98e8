import { describe, expect, it } from "vitest";
import { type ClimbOptions, climb } from "../../bench/copy/climb.ts";
import { type CopyReport, renderCopy } from "../../bench/copy/render.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";

const options: ClimbOptions = {
  boundary: "synthetic",
  steps: 4,
  windows: 1000,
  seed: 1,
  symbols: 2,
  rows: 32,
  units: 32,
  rate: 0.003,
  generator: { rate: 0.001, hidden: [], scale: 0.5 },
};

describe("climbing the copy task", () => {
  const found = climb(wasmKernels(), options);

  it("solves short sequences, each after the shorter one", () => {
    expect(found.solvedAt.length).toBeGreaterThanOrEqual(2);
    expect(found.solvedAt).toEqual(found.solvedAt.toSorted((a, b) => a - b));
    expect(found.health!.error).toBeGreaterThan(0);
  });

  it("solves none where nothing is learnt", () => {
    const { solvedAt, bits } = climb(wasmKernels(), { ...options, rate: 0 });
    expect(solvedAt).toEqual([]);
    expect(bits).toBeGreaterThan(0.9);
  });

  it("finds the same again, and has no health without a generator", () => {
    expect(climb(wasmKernels(), options)).toEqual(found);
    expect(climb(wasmKernels(), { ...options, windows: 10, boundary: "truncated" }).health).toBeUndefined();
  });
});

describe("the section of the copy task", () => {
  const systems = (truncated: readonly number[], synthetic: readonly number[]) =>
    (
      [
        ["truncated", truncated],
        ["synthetic", synthetic],
      ] as const
    ).map(([boundary, lengths]) => ({
      boundary,
      steps: 3,
      trials: lengths.map((length, index) => ({
        seed: index + 1,
        solvedAt: Array.from({ length }, (_, i) => 1000 * (i + 1)),
        bits: 0.5,
        cpuSeconds: 2,
      })),
    }));
  const report = (truncated: readonly number[], synthetic: readonly number[]): CopyReport => ({
    command: "npm run copy",
    date: "2026-11-24T00:00:00.000Z",
    versions: ["node v20"],
    options,
    systems: systems(truncated, synthetic),
  });

  it("compares means over the seeds with the bar, and says when it is not met", () => {
    expect(renderCopy(report([3, 4], [5, 6]))).toContain(
      "1.57 times with windows of 3. The bar of 1.5 is met.",
    );
    expect(renderCopy(report([3, 4], [5, 5]))).toContain(
      "1.43 times with windows of 3. The bar of 1.5 is **not met**.",
    );
  });

  it("shows every seed, and when it solved its longest", () => {
    expect(renderCopy(report([3, 4], [5, 6]))).toContain(
      "| 3 | a guess (synthetic) | 5.50 | 5, 6 | 5,000, 6,000 | 2.0 | – | – |",
    );
  });
});
