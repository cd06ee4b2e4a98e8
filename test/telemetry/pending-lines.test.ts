import { describe, expect, it } from "vitest";
import type { SegmentSums } from "../../shared/record/curves/segment-sums.ts";
import type { Numbered } from "../../shared/telemetry/messages.ts";
import { PendingLines, readNotes } from "../../shared/telemetry/pending-lines.ts";

function tally(first: number, last: number): SegmentSums {
  return { first, last, spanMs: last - first + 1, at: last };
}

function log(text: string) {
  return { kind: "log", text } as const;
}

function evaluation(batch: number) {
  const test = { loss: 1, error: 0.5 };
  return { kind: "evaluation", worker: "layer1", incarnation: 1, at: 5, batch, test } as const;
}

/** All that may be said now. */
function said(unsaid: PendingLines): Numbered[] {
  const lines: Numbered[] = [];
  for (let line = unsaid.next(); line !== undefined; line = unsaid.next()) lines.push(line);
  return lines;
}

function ranges(lines: readonly Numbered[]) {
  return lines.flatMap(({ line }) => (line.kind === "segment" ? [[line.first, line.last]] : []));
}

describe("what a worker has to say", () => {
  it("is said in order, numbered from 0, once on a connection", () => {
    const unsaid = new PendingLines("layer1", 1);
    unsaid.say(log("a"));
    unsaid.segment(tally(0, 4));
    expect(said(unsaid).map(({ seq, line }) => [seq, line.kind])).toEqual([
      [0, "log"],
      [1, "segment"],
    ]);
    expect(said(unsaid)).toEqual([]);
    unsaid.say(log("b"));
    expect(said(unsaid)).toMatchObject([{ seq: 2, line: { text: "b" } }]);
  });

  it("is said again on the next connection, under the same numbers, unless it was acknowledged", () => {
    const unsaid = new PendingLines("layer1", 1);
    for (const text of ["a", "b", "c"]) unsaid.say(log(text));
    const first = said(unsaid);
    unsaid.acknowledged(0);
    unsaid.reconnected();
    expect(said(unsaid)).toEqual(first.slice(1));
    unsaid.acknowledged(2);
    unsaid.reconnected();
    expect(said(unsaid)).toEqual([]);
    expect(unsaid.isEmpty).toBe(true);
  });

  it("waits while too much of it is unacknowledged", () => {
    const unsaid = new PendingLines("layer1", 1);
    for (let n = 0; n < 300; n++) unsaid.say(log(String(n)));
    expect(said(unsaid)).toHaveLength(256);
    unsaid.acknowledged(9);
    expect(said(unsaid).map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, n) => 256 + n));
  });

  it("keeps a bounded number of segments, by merging the shortest neighbours, and no hole", () => {
    const unsaid = new PendingLines("layer1", 1);
    for (let n = 0; n < 5000; n++) unsaid.segment(tally(n * 10, n * 10 + 9));
    const lines = said(unsaid);
    unsaid.acknowledged(lines.length - 1);
    const all = ranges([...lines, ...said(unsaid)]);
    expect(all.length).toBeLessThanOrEqual(512);
    expect([all[0]![0], all.at(-1)![1]]).toEqual([0, 49_999]);
    for (const [index, [first]] of all.entries()) if (index > 0) expect(first).toBe(all[index - 1]![1]! + 1);
    const lengths = all.map(([first, last]) => last! - first! + 1);
    expect(Math.max(...lengths) / Math.min(...lengths)).toBeLessThanOrEqual(20);
    expect(unsaid.dropped).toBe(0);
  });

  it("never merges what a hub may have heard", () => {
    const unsaid = new PendingLines("layer1", 1);
    unsaid.segment(tally(0, 9));
    const before = said(unsaid);
    for (let n = 1; n < 2000; n++) unsaid.segment(tally(n * 10, n * 10 + 9));
    unsaid.reconnected();
    expect(said(unsaid)[0]).toEqual(before[0]);
  });

  it("drops the oldest of too many words, and counts them, but no figures", () => {
    const unsaid = new PendingLines("layer1", 1);
    unsaid.segment(tally(0, 9));
    for (let n = 0; n < 1024; n++) unsaid.say(log(String(n).padEnd(1024)));
    expect(unsaid.dropped).toBe(512);
    const lines = said(unsaid);
    expect(lines[0]!.line.kind).toBe("segment");
    expect(lines[1]).toMatchObject({ line: { text: "512".padEnd(1024) } });
  });
});

describe("words longer than a hub takes", () => {
  it("are cut where they are an event's, and dropped and counted where they are a log's", () => {
    const unsaid = new PendingLines("layer1", 1);
    unsaid.say(log("x".repeat(100_000)));
    const text = "y".repeat(5000);
    unsaid.say({ kind: "event", worker: "layer1", incarnation: 1, at: 0, name: "alarm", text });
    expect(unsaid.dropped).toBe(1);
    expect(said(unsaid)).toMatchObject([{ seq: 0, line: { text: text.slice(0, 1000) } }]);
  });
});

describe("what is noted in a checkpoint", () => {
  it("is all that no hub acknowledged, whether said or not, and the next life says it first", () => {
    const [before, after] = [new PendingLines("layer1", 1), new PendingLines("layer1", 2)];
    before.segment(tally(0, 4));
    before.segment(tally(5, 9));
    said(before);
    before.acknowledged(0);
    before.segment(tally(10, 14));
    before.say(evaluation(15));
    before.say(log("not this"));
    after.recall(readNotes(JSON.stringify(before.notes()))!);
    after.segment(tally(15, 20));
    const lines = said(after);
    expect(ranges(lines)).toEqual([
      [5, 14],
      [15, 20],
    ]);
    expect(lines.map(({ line }) => line)).toContainEqual({ ...evaluation(15), incarnation: 2 });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ line: { incarnation: 2, at: 14, spanMs: 10 } });
  });

  it("is nothing where all was acknowledged, and not believed where it cannot be read", () => {
    const unsaid = new PendingLines("layer1", 1);
    unsaid.segment(tally(0, 4));
    said(unsaid);
    unsaid.acknowledged(0);
    expect(unsaid.notes()).toBeUndefined();
    expect([undefined, "{", "{}", '{"tally":{"first":"x"},"evaluations":[]}'].map(readNotes)).toEqual(
      Array(4).fill(undefined),
    );
  });
});
