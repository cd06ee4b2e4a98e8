import { describe, expect, it } from "vitest";
import type { Batch } from "../../../shared/data/data-set.ts";
import { TwoRings } from "../../../shared/data/sets/two-rings.ts";

function pointsOf({ rows, input, labels }: Batch) {
  return Array.from({ length: rows }, (_, row) => ({
    x: input[2 * row]!,
    y: input[2 * row + 1]!,
    radius: Math.hypot(input[2 * row]!, input[2 * row + 1]!),
    label: labels[row],
  }));
}

describe("two rings", () => {
  it("lie at radius 1 and 2 when there is no noise", () => {
    for (const { radius, label } of pointsOf(new TwoRings(0, 10).batch(1, 0, 200))) {
      expect(radius).toBeCloseTo(label === 0 ? 1 : 2, 6);
    }
  });

  it("scatter by the noise asked for, with both classes and all directions about equally often", () => {
    const points = pointsOf(new TwoRings(0.1, 10).batch(1, 0, 20_000));
    const inner = points.filter(({ label }) => label === 0);
    expect(inner.length / points.length).toBeCloseTo(0.5, 1);
    expect(points.filter(({ x, y }) => x > 0 && y > 0).length / points.length).toBeCloseTo(0.25, 1);
    const spread = inner.reduce((sum, { radius }) => sum + (radius - 1) ** 2, 0) / inner.length;
    expect(Math.sqrt(spread)).toBeCloseTo(0.1, 2);
  });

  it("are the same for the same seed and number, and others for others", () => {
    const set = new TwoRings(0.1, 10);
    expect(set.batch(1, 5, 32)).toEqual(new TwoRings(0.1, 10).batch(1, 5, 32));
    expect(set.batch(1, 6, 32)).not.toEqual(set.batch(1, 5, 32));
    expect(set.batch(2, 5, 32)).not.toEqual(set.batch(1, 5, 32));
  });

  it("hold out points that training does not show", () => {
    const set = new TwoRings(0.1, 50);
    const heldOut = [0, 1].flatMap((part) => pointsOf(set.evaluationPart(part, 32)));
    const trained = new Set(
      Array.from({ length: 100 }, (_, number) => pointsOf(set.batch(0, number, 32)))
        .flat()
        .map(({ x }) => x),
    );
    expect([set.evaluationParts(32), heldOut.length]).toEqual([2, 50]);
    expect(heldOut.filter(({ x }) => trained.has(x))).toEqual([]);
  });
});
