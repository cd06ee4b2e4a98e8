import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf, merge, partOf, thin } from "../../shared/record/curves/segments.ts";
import type { EventLine, MetricLine, Segment } from "../../shared/record/lines.ts";
import { pieces, StandingRecord, standing } from "../../shared/record/standing.ts";

function segment(incarnation: number, first: number, last: number, more: Partial<Segment> = {}): Segment {
  const spanMs = 10 * (last - first + 1);
  return { kind: "segment", worker: "layer1", incarnation, at: 1000, first, last, spanMs, ...more };
}

function evaluation(incarnation: number, batch: number, error: number): MetricLine {
  return { kind: "evaluation", worker: "layer3", incarnation, at: 1000, batch, test: { loss: 1, error } };
}

function restored(incarnation: number, batch: number): EventLine {
  return { kind: "event", worker: "layer1", incarnation, at: 1000, name: "restored", batch, text: "" };
}

function began(incarnation: number): EventLine {
  return { kind: "event", worker: "layer1", incarnation, at: 1000, name: "began", text: "" };
}

function ranges(lines: readonly (MetricLine | EventLine)[]) {
  return standing(lines)
    .segments("layer1")
    .map(({ incarnation, first, last }) => [incarnation, first, last]);
}

describe("a life that starts from a checkpoint", () => {
  const lines = [segment(1, 0, 49), segment(1, 50, 99), segment(1, 100, 120), segment(2, 50, 79)];

  test("replaces what older lives said from there on", () => {
    expect(ranges(lines)).toEqual([
      [1, 0, 49],
      [2, 50, 79],
    ]);
  });

  test("control: read as they lie, the lines have batches twice", () => {
    expect(repeatedBatches(lines)).toBeGreaterThan(0);
    expect(repeatedBatches([...standing(lines).segments("layer1")])).toBe(0);
  });

  test("replaces them before it has learnt anything, once it says where it restored", () => {
    expect(ranges([...lines.slice(0, 3), restored(2, 49)])).toEqual([[1, 0, 49]]);
  });

  test("is not replaced by what an older one says late", () => {
    expect(ranges([...lines, segment(1, 121, 130)])).toEqual(ranges(lines));
    expect(ranges([...lines.slice(3), ...lines.slice(0, 3)])).toEqual(ranges(lines));
  });

  test("cuts a segment that reaches across the checkpoint, and its sums with it", () => {
    const across = segment(1, 0, 99, { loss: 2, targets: 200 });
    expect(standing([across, segment(2, 25, 30)]).segments("layer1")).toEqual([
      segment(1, 0, 24, { loss: 2, targets: 50 }),
      segment(2, 25, 30),
    ]);
  });
});

test("what one life says again, merged or not, counts once", () => {
  const again = [segment(1, 0, 9), segment(1, 10, 19), segment(1, 20, 29), segment(1, 0, 19)];
  expect(ranges(again)).toEqual([
    [1, 0, 19],
    [1, 20, 29],
  ]);
});

test("batches that nobody spoke of are named, and not drawn over", () => {
  const record = standing([segment(1, 5, 9), segment(1, 10, 19), segment(2, 30, 39)]);
  expect(record.gaps("layer1")).toEqual([
    { first: 0, last: 4 },
    { first: 20, last: 29 },
  ]);
  expect(pieces(record.segments("layer1")).map((piece) => piece.length)).toEqual([2, 1]);
  expect(record.segments("layer1", 1).map(({ first, last }) => [first, last])).toEqual([
    [5, 19],
    [30, 39],
  ]);
});

describe("of evaluations", () => {
  const standingOf = (lines: MetricLine[]) =>
    standing(lines).evaluations.map(({ incarnation, batch, test }) => [incarnation, batch, test.error]);
  const ofHead = (line: Segment): Segment => ({ ...line, worker: "layer3" });

  test("the newest life's counts, and of one life the last", () => {
    const said = [evaluation(1, 50, 0.5), evaluation(1, 0, 0.9), evaluation(2, 50, 0.4)];
    expect(standingOf([...said, evaluation(1, 50, 0.3), evaluation(2, 50, 0.2)])).toEqual([
      [1, 0, 0.9],
      [2, 50, 0.2],
    ]);
  });

  test("those do not count that an older life made beyond where a newer one begins", () => {
    const made = [evaluation(1, 50, 0.5), evaluation(1, 100, 0.4)];
    const begun = ofHead(segment(2, 50, 59));
    expect(standingOf([...made, begun])).toEqual([[1, 50, 0.5]]);
    expect(standingOf([begun, ...made])).toEqual([[1, 50, 0.5]]);
    expect(standingOf(made)).toHaveLength(2);
  });
});

test("workers stand in the order of the network", () => {
  const lines = (["layer10", "layer2", "source", "layer1"] as const).map((worker) => ({
    ...segment(1, 0, 1),
    worker,
  }));
  expect(standing(lines).workers).toEqual(["source", "layer1", "layer2", "layer10"]);
});

describe("in random lives with random checkpoints", () => {
  test("every batch in the weights stands exactly once, as said by the life that applied it", () => {
    let replaced = 0;
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const { lines, lineage } = live(deeds);
        replaced += repeatedBatches(lines.filter((line) => line.kind === "segment"));
        expect(perBatch(standing(lines).segments("layer1"))).toEqual(lineage);
        expect(standing(lines).gaps("layer1")).toEqual([]);
      }),
      { numRuns: 500 },
    );
    // Control: there was something to replace.
    expect(replaced).toBeGreaterThan(1000);
  });

  test("the order in which lives are heard does not matter", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (deeds, dice) => {
        const { lines, lineage } = live(deeds);
        expect(perBatch(standing(interleave(lines, dice)).segments("layer1"))).toEqual(lineage);
      }),
    );
  });

  test("thinning keeps the bound and every sum", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (deeds, most) => {
        const all = standing(live(deeds).lines).segments("layer1");
        const few = thin(all, most);
        expect(few.length).toBeLessThanOrEqual(most);
        expect(perBatch(few).length).toBe(perBatch(all).length);
        for (const sum of SUMS) expect(sum(few)).toBeCloseTo(sum(all), 6);
      }),
    );
  });

  test("a record with a bound keeps it, and has every batch once all the same", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const { lines, lineage } = live(deeds);
        const record = new StandingRecord({ most: 8 });
        for (const line of lines) {
          record.add(line);
          expect(record.segments("layer1").length).toBeLessThanOrEqual(8);
        }
        expect(perBatch(record.segments("layer1")).length).toBe(lineage.length);
      }),
    );
  });
});

test("merging weighs the loss by batches and what the generator does by targets", () => {
  const two = [
    segment(1, 0, 9, { loss: 1, generatorError: 1, cosine: 0, staleness: 2, targets: 1 }),
    segment(2, 10, 39, { loss: 2, generatorError: 0.5, cosine: 1, staleness: 4, targets: 3, at: 2000 }),
  ];
  const merged = { loss: 1.75, generatorError: 0.625, cosine: 0.75, staleness: 3.5, targets: 4, at: 2000 };
  expect(merge(two)).toEqual(segment(2, 0, 39, merged));
  expect(merge([segment(1, 0, 4), segment(1, 5, 9)])).toEqual(segment(1, 0, 9));
});

test("a part of a segment is nothing outside of it", () => {
  expect(partOf(segment(1, 10, 19), 20, 30)).toBeUndefined();
  expect(partOf(segment(1, 10, 19), 0, 30)).toEqual(segment(1, 10, 19));
});

/** Learns that many batches and says so; saves; or dies, and the next life takes that checkpoint of the last three. */
type Deed =
  | { readonly kind: "learn"; readonly batches: number }
  | { readonly kind: "save" }
  | { readonly kind: "die"; readonly back: number };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("learn"), batches: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("save") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("die"), back: fc.nat({ max: 2 }) }) },
);

/** What a layer with these deeds says, and for every batch in its weights which life applied it. */
function live(deeds: readonly Deed[]) {
  const lines: (Segment | EventLine)[] = [];
  let lineage: number[] = [];
  let life = 1;
  let saved: number[] = [];
  for (const deed of deeds) {
    if (deed.kind === "save") saved.push(lineage.length);
    if (deed.kind === "die") {
      life += 1;
      saved = saved.slice(0, saved.length - deed.back);
      lineage = lineage.slice(0, saved.at(-1) ?? 0);
      lines.push(saved.length > 0 ? restored(life, lineage.length - 1) : began(life));
    }
    if (deed.kind === "learn") {
      const first = lineage.length;
      const figures = { loss: life + first / 100, targets: first % 7, cosine: 1 / life, generatorError: 0.5 };
      lines.push(segment(life, first, first + deed.batches - 1, figures));
      lineage.push(...Array<number>(deed.batches).fill(life));
    }
  }
  return { lines, lineage };
}

/** The life that stands for batch 0, 1, 2, …; a batch that is twice, or out of order, breaks the list. */
function perBatch(segments: readonly Segment[]): number[] {
  const lives: number[] = [];
  for (const { first, last, incarnation } of segments) {
    expect(first).toBe(lives.length);
    lives.push(...Array<number>(last - first + 1).fill(incarnation));
  }
  return lives;
}

function repeatedBatches(lines: readonly Segment[]): number {
  const all = lines.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  return all.length - new Set(all).size;
}

/** The lives mixed, each in its own order. */
function interleave<Line extends { readonly incarnation: number }>(
  lines: readonly Line[],
  dice: Iterator<number>,
): Line[] {
  const names = [...new Set(lines.map(({ incarnation }) => incarnation))];
  const lives = names.map((life) => lines.filter(({ incarnation }) => incarnation === life));
  const mixed: Line[] = [];
  while (mixed.length < lines.length) {
    const left = lives.filter((life) => life.length > 0);
    mixed.push(left[dice.next().value! % left.length]!.shift()!);
  }
  return mixed;
}

const SUMS: readonly ((segments: readonly Segment[]) => number)[] = [
  (all) => all.reduce((sum, { spanMs }) => sum + spanMs, 0),
  (all) => all.reduce((sum, { targets = 0 }) => sum + targets, 0),
  (all) => all.reduce((sum, each) => sum + (each.loss ?? 0) * batchesOf(each), 0),
  (all) => all.reduce((sum, { cosine = 0, targets = 0 }) => sum + cosine * targets, 0),
];

test("evaluations are bounded like segments: older ones thin out, the newest stays", () => {
  const record = new StandingRecord({ most: 10 });
  for (let batch = 0; batch < 1000; batch++) record.add(evaluation(1, batch, 0.5));
  const kept = record.evaluations.map(({ batch }) => batch);
  expect(kept.length).toBeLessThanOrEqual(10);
  expect(kept.at(-1)).toBe(999);
});
