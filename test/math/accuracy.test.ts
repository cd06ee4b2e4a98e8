import { describe, expect, it } from "vitest";
import { addTallies, judge, judgedBy, scoreOf } from "../../shared/math/accuracy.ts";
import { sumsOf } from "../../shared/math/details.ts";

const floats = (...values: number[]) => Float32Array.from(values);

describe("judge", () => {
  it("counts a class wrong where another logit is larger", () => {
    const outputs = floats(0.1, 0.2, -5, -4, -3, -9);
    const labels = floats(1, 0);
    expect(judge("softmax-cross-entropy", outputs, labels, 2, 3)).toEqual({ wrong: 1, exact: 1 });
  });

  it("puts the threshold at 0 for logits, at one half for squared error", () => {
    const outputs = floats(0.4, -0.1, 0.6, 0.3);
    const labels = floats(1, 0, 1, 1);
    expect(judge("sigmoid-cross-entropy", outputs, labels, 2, 2)).toEqual({ wrong: 0, exact: 2 });
    expect(judge("mean-squared-error", outputs, labels, 2, 2)).toEqual({ wrong: 2, exact: 0 });
  });

  it("looks at no row beyond those it was given", () => {
    expect(judge("sigmoid-cross-entropy", floats(1, -1), floats(1, 1), 1, 1)).toEqual({ wrong: 0, exact: 1 });
  });
});

describe("scoreOf", () => {
  const tally = addTallies({ lossSum: 3, wrong: 1, exact: 2 }, { lossSum: 1, wrong: 2, exact: 1 });

  it("is a fraction of the examples for classes", () => {
    expect(judgedBy("softmax-cross-entropy")).toBe("class");
    expect(scoreOf(tally, "class", 8, 10)).toEqual({ loss: 0.5, error: 3 / 8 });
  });

  it("is a fraction of the bits for bits, beside the share of faultless examples", () => {
    expect([judgedBy("sigmoid-cross-entropy"), judgedBy("mean-squared-error")]).toEqual(["bits", "bits"]);
    expect(scoreOf(tally, "bits", 8, 10)).toEqual({ loss: 0.5, error: 3 / 80, exact: 3 / 8 });
  });
});

describe("what a score says besides", () => {
  const whole = (
    judged: "class" | "bits" | "values",
    outputs: Float32Array,
    labels: Float32Array,
    columns: number,
  ) => {
    const loss = (
      { class: "softmax-cross-entropy", bits: "sigmoid-cross-entropy", values: "mean-squared-error" } as const
    )[judged];
    const each = judged === "class" ? 1 : columns;
    const rows = labels.length / each;
    const none = { lossSum: 0, wrong: 0, exact: 0 };
    const part = (from: number, to: number) => ({
      ...none,
      ...sumsOf(
        judged,
        loss,
        outputs.subarray(from * columns),
        labels.subarray(from * each),
        to - from,
        columns,
      ),
    });
    // In two parts, as an evaluation comes.
    return scoreOf(addTallies(part(0, 1), part(1, rows)), judged, rows, columns, [10, 100]);
  };

  it("counts which class was taken for which", () => {
    const outputs = floats(9, 0, 0, 1, 2, 0, 5, 1, 0, 0, 0, 1);
    const labels = floats(0, 0, 1, 2);
    expect(whole("class", outputs, labels, 3).confusion).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 1]);
  });

  it("counts of each bit what was rightly 1, wrongly 1 and wrongly 0", () => {
    const score = whole("bits", floats(1, -1, 2, 3, -4, -5), floats(1, 0, 0, 1, 1, 0), 2);
    expect(score.bits).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it("gives values their own unit, and says how much of their variance is explained", () => {
    const score = whole("values", floats(1, 0, 2, 0, 6, 0), floats(0, -1, 3, 0, 6, 1), 2);
    expect(score.rmse![0]).toBeCloseTo(10 * Math.sqrt(2 / 3), 9);
    expect(score.rmse![1]).toBeCloseTo(100 * Math.sqrt(2 / 3), 9);
    expect(score.r2![0]).toBeCloseTo(1 - 2 / 18, 9);
    expect(score.r2![1]).toBeCloseTo(0, 9);
    expect(score.error).toBeCloseTo((2 / 18 + 1) / 2, 9);
  });

  it("stays finite where a label is always the same", () => {
    expect(whole("values", floats(1, 1), floats(2, 2), 1)).toMatchObject({ error: 1, r2: [0] });
    expect(whole("values", floats(2, 2), floats(2, 2), 1)).toMatchObject({ error: 0, r2: [1] });
  });

  it("is left out where it would be longer than a frame can say", () => {
    expect(sumsOf("class", "softmax-cross-entropy", floats(1), floats(1), 0, 33)).toEqual({});
    expect(sumsOf("class", "softmax-cross-entropy", floats(1), floats(1), 0, 32).sums).toHaveLength(1024);
  });
});
