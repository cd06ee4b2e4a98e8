import { describe, expect, it } from "vitest";
import { svgFile, ticksOf } from "../../../shared/record/curves/svg-chart.ts";

describe("a chart", () => {
  it("has ticks from zero that hold every value, or powers of ten around them", () => {
    expect(ticksOf(false, [3, 180])).toEqual([0, 50, 100, 150, 200]);
    expect(ticksOf(false, [0.3])).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticksOf(true, [2.6, 240])).toEqual([1, 10, 100, 1000]);
    expect(ticksOf(true, [100])).toEqual([100, 1000]);
  });

  it("draws higher values higher, on either scale", () => {
    for (const logY of [false, true]) {
      const svg = svgFile({
        title: "t",
        x: "x",
        y: "y",
        logY,
        series: [
          {
            name: "a",
            points: [
              [0, 1],
              [1, 50],
            ],
          },
        ],
      });
      const [, first, second] = /points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"/.exec(svg)!;
      expect(Number(second)).toBeLessThan(Number(first));
    }
  });

  it("leaves out what is no number, and says names as they are", () => {
    const svg = svgFile({
      title: "a < b & c",
      x: "",
      y: "",
      series: [
        {
          name: "a",
          points: [
            [0, 1],
            [1, Number.NaN],
          ],
        },
      ],
    });
    expect(svg).toContain("a &lt; b &amp; c");
    expect(svg).not.toContain("NaN");
  });
});
