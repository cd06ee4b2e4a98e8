import { describe, expect, it } from "vitest";
import { addTallies, judge, judgedBy, scoreOf } from "../../shared/math/accuracy.ts";

const floats = (...values: number[]) => Float32Array.from(values);

describe("judge", () => {
  it("counts a class wrong where another logit is larger", () => {
    const outputs = floats(0.1, 0.2, -5, -4, -3, -9);
    const labels = floats(0, 1, 0, 1, 0, 0);
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
