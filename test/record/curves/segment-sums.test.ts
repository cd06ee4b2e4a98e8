import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Meter } from "../../../services/worker/meter.ts";
import { mergeSums, type SegmentSums, segmentOf } from "../../../shared/record/curves/segment-sums.ts";

const health = fc.record({
  squaredError: fc.integer({ min: 0, max: 100 }),
  squaredTarget: fc.integer({ min: 0, max: 100 }),
  squaredGuess: fc.integer({ min: 0, max: 100 }),
  product: fc.integer({ min: -100, max: 100 }),
});
const happening = fc.oneof(
  fc.record({ loss: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ health, age: fc.integer({ min: 1, max: 64 }) }),
  fc.constant("end" as const),
);

/** What a meter says of these, and what it would say had nobody ended a segment in between. Whole numbers: sums are exact. */
function told(happenings: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[]) {
  const [ended, whole]: [SegmentSums[], SegmentSums[]] = [[], []];
  const meters = [ended, whole].map((into) => new Meter(0, (each) => into.push({ ...each, at: 7 })));
  let batch = 0;
  for (const [now, each] of happenings.entries()) {
    if (each === "end") meters[0]!.endSegment(now);
    else if ("loss" in each) for (const meter of meters) meter.batch(batch, each.loss);
    else for (const meter of meters) meter.target(each.health, each.age);
    if (each !== "end" && "loss" in each) batch += 1;
  }
  for (const meter of meters) meter.endSegment(happenings.length);
  return { ended, whole, batches: batch };
}

describe("segments of one life", () => {
  it("hold every batch once, in order, wherever they end", () => {
    fc.assert(
      fc.property(fc.array(happening), (happenings) => {
        const { ended, batches } = told(happenings);
        const said = ended.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        );
        expect(said).toEqual(Array.from({ length: batches }, (_, batch) => batch));
      }),
    );
  });

  it("come to the same, merged, as one that was never ended", () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 1 }), (happenings) => {
        const { ended, whole } = told([{ loss: 1 }, ...happenings, { loss: 2 }]);
        const merged = ended.reduce(mergeSums);
        expect({ ...merged, spanMs: 0 }).toEqual({ ...whole[0], spanMs: 0 });
      }),
    );
  });

  it("have no part in the time that passed without a batch", () => {
    const ended: Omit<SegmentSums, "at">[] = [];
    const meter = new Meter(0, (each) => ended.push(each));
    meter.endSegment(500);
    meter.batch(0);
    meter.endSegment(1000);
    meter.endSegment(1500);
    meter.batch(1);
    meter.endSegment(2000);
    expect(ended.map(({ spanMs }) => spanMs)).toEqual([500, 500]);
  });

  it("are never merged over a hole", () => {
    const tally = (first: number, last: number) => ({ first, last, spanMs: 1, at: 0 });
    expect(() => mergeSums(tally(0, 4), tally(6, 9))).toThrow("one ends at 4, the next begins at 6");
  });
});

describe("a segment", () => {
  it("says means and ratios of its sums", () => {
    const targets = {
      count: 4,
      age: 10,
      squaredError: 8,
      squaredTarget: 16,
      squaredGuess: 4,
      product: 6,
    };
    expect(segmentOf({ first: 5, last: 9, spanMs: 12.3456, at: 99, loss: 10, targets }, "layer2", 3)).toEqual(
      {
        kind: "segment",
        worker: "layer2",
        incarnation: 3,
        at: 99,
        first: 5,
        last: 9,
        spanMs: 12.346,
        loss: 2,
        generatorError: 0.5,
        cosine: 0.75,
        staleness: 2.5,
        targets: 4,
      },
    );
  });

  it("leaves out what would be divided by zero", () => {
    const targets = { count: 1, age: 1, squaredError: 0, squaredTarget: 0, squaredGuess: 0, product: 0 };
    const segment = segmentOf({ first: 0, last: 0, spanMs: 0, at: 0, targets }, "layer1", 1);
    expect(segment).toMatchObject({ staleness: 1, targets: 1 });
    expect(Object.values(segment)).not.toContain(Number.NaN);
    expect(segment).not.toHaveProperty("cosine");
  });
});
