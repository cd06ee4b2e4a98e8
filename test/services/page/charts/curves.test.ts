import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aligned, chartCsv, smoothed, valueAt } from "../../../../services/page/charts/curves.ts";
import {
  type Axis,
  type Chart,
  chartsOf,
  overlaid,
  type Point,
} from "../../../../shared/record/curves/curves.ts";
import type { MetricLine } from "../../../../shared/record/lines.ts";
import { standing } from "../../../../shared/record/standing.ts";
import { evaluation, segment } from "../lines.ts";

function chart(id: string, lines: readonly MetricLine[], axis: Axis = "batch"): Chart {
  return chartsOf({ record: standing(lines), startedAt: 0 }, axis).find((each) => each.id === id)!;
}

function points(id: string, lines: readonly MetricLine[], axis: Axis = "batch") {
  return chart(id, lines, axis).curves[0]!.points.map(({ x, y }) => [x, y]);
}

const loss = (first: number, last: number, value: number, more = {}) =>
  segment("layer3", first, last, { loss: value, ...more });

describe("a curve", () => {
  it("has a point at the end of each segment", () => {
    expect(points("loss", [loss(0, 9, 3), loss(10, 19, 2)])).toEqual([
      [9, 3],
      [19, 2],
    ]);
  });

  it("is broken where batches are missing", () => {
    expect(points("loss", [loss(0, 9, 3), loss(20, 29, 2)])).toEqual([
      [9, 3],
      [9.5, null],
      [29, 2],
    ]);
  });

  it("joins where a resumed life goes on, without what it replaced", () => {
    const lines = [loss(0, 9, 3), loss(10, 19, 9), loss(10, 14, 2, { incarnation: 2 })];
    expect(points("loss", lines)).toEqual([
      [9, 3],
      [14, 2],
    ]);
  });

  it("is broken on an axis of time where nothing was done, though no batch is missing", () => {
    const lines = [loss(0, 9, 3), loss(10, 19, 2, { at: 20_000 })];
    expect(points("loss", lines, "time")).toEqual([
      [1, 3],
      [1.001, null],
      [20, 2],
    ]);
    expect(points("loss", lines)).toHaveLength(2);
  });

  it("is broken where a figure was not known", () => {
    const lines = [
      segment("layer1", 0, 9, { cosine: 0.1 }),
      segment("layer1", 10, 19),
      segment("layer1", 20, 29, { cosine: 0.3 }),
    ];
    expect(points("cosine", lines)).toEqual([
      [9, 0.1],
      [19, null],
      [29, 0.3],
    ]);
  });

  it("never runs backwards in time, though a clock was set back", () => {
    const lines = [
      loss(0, 9, 3, { at: 5_000 }),
      loss(10, 19, 2, { at: 4_000 }),
      loss(20, 29, 1, { at: 6_000 }),
    ];
    const xs = chart("loss", lines, "time").curves[0]!.points.map(({ x }) => x);
    expect(xs).toEqual(xs.toSorted((a, b) => a - b));
  });

  it("of tests stands at the batch before which they were made, as per cent right", () => {
    const lines = [evaluation(100, 0.1), evaluation(200, 0.05)];
    expect(points("accuracy", lines)).toEqual([
      [100, 90],
      [200, 95],
    ]);
  });

  it("of rate counts batches by the time they took, for every worker", () => {
    const lines = [segment("source", 0, 9), segment("layer1", 0, 9, { spanMs: 500 })];
    const curves = chart("rate", lines).curves;
    expect(curves.map(({ name, points }) => [name, points[0]!.y])).toEqual([
      ["source", 10],
      ["layer1", 20],
    ]);
  });

  it("is not there where nobody told of it", () => {
    expect(chart("staleness", [loss(0, 9, 3)]).curves).toEqual([]);
  });

  it("of another run is laid over its like, and marked", () => {
    const mine = chartsOf({ record: standing([loss(0, 9, 3)]), startedAt: 0 }, "batch");
    const other = chartsOf({ record: standing([loss(0, 9, 4)]), startedAt: 0 }, "batch");
    const curves = overlaid(mine, other)[0]!.curves;
    expect(curves.map(({ isOverlay, points }) => [isOverlay ?? false, points[0]!.y])).toEqual([
      [false, 3],
      [true, 4],
    ]);
  });
});

describe("smoothing", () => {
  const at = (...ys: (number | null)[]): Point[] => ys.map((y, x) => ({ x, y }));

  it("of nothing changes nothing", () => expect(smoothed(at(1, 5, 2), 0)).toEqual(at(1, 5, 2)));

  it("begins at the first point, not at zero, and anew after a gap", () => {
    const ys = smoothed(at(4, 4, null, 8, 8), 0.9).map(({ y }) => y);
    expect(ys.map((y) => y && Number(y.toFixed(9)))).toEqual([4, 4, null, 8, 8]);
  });

  it("stays between the least and the most", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1 }),
        fc.integer({ min: 0, max: 98 }),
        (ys, weight) => {
          const all = smoothed(at(...ys), weight / 100).map(({ y }) => y!);
          expect(Math.min(...all)).toBeGreaterThanOrEqual(Math.min(...ys) - 1e-9);
          expect(Math.max(...all)).toBeLessThanOrEqual(Math.max(...ys) + 1e-9);
        },
      ),
    );
  });
});

describe("columns for a plot", () => {
  const one = [
    { x: 1, y: 10 },
    { x: 3, y: null },
  ];
  const other = [
    { x: 2, y: 20 },
    { x: 3, y: 30 },
  ];

  it("share their x; a line runs past what a curve has no point for, and stops at its gaps", () => {
    expect(aligned([one, other])).toEqual([
      [1, 2, 3],
      [10, undefined, null],
      [undefined, 20, 30],
    ]);
  });

  it("read out the latest value, or the one at a place, but none within a gap", () => {
    const [xs, first, second] = aligned([one, other]);
    expect(valueAt(xs, first!, null)).toBe(10);
    expect(valueAt(xs, first!, 1)).toBe(10);
    expect(valueAt(xs, first!, 2)).toBeUndefined();
    expect(valueAt(xs, second!, 0)).toBeUndefined();
  });

  it("go into a table that names them, with nothing where nothing is known", () => {
    const table: Chart = {
      ...{ id: "a", title: "A", unit: "" },
      curves: [
        { name: "layer1", worker: "layer1", points: one },
        { name: "layer1", worker: "layer1", points: other, isOverlay: true },
      ],
    };
    expect(chartCsv(table, "batch")).toBe("batch,layer1,layer1 (other run)\r\n1,10,\r\n2,,20\r\n3,,30\r\n");
  });
});
