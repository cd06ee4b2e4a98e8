import { describe, expect, it } from "vitest";
import type { EventLine } from "../../../shared/record/lines.ts";
import { batchAt, isAbsence, outagesOf, subjectOf } from "../../../shared/record/outages/outages.ts";
import { standing } from "../../../shared/record/standing.ts";
import { event, segment } from "../../services/page/lines.ts";

const record = standing([segment("layer1", 0, 49), segment("layer1", 50, 99)]);

function outages(...events: EventLine[]) {
  return outagesOf(events, record);
}

const said = (name: EventLine["name"], at: number, more = {}) =>
  event(name === "died" ? "train" : "hub", name, at, { incarnation: 0, about: "layer2", ...more });

describe("a worker's absence", () => {
  it("is one, from its death to its return, though several told of it", () => {
    const all = outages(
      said("died", 5_000, { text: "layer2: exit 137" }),
      said("dead", 5_200),
      event("layer2", "restored", 8_000, { incarnation: 2, batch: 39 }),
      event("layer2", "linked", 8_100, { incarnation: 2 }),
    );
    expect(all).toEqual([
      {
        worker: "layer2",
        from: { at: 5_000, batch: 49 },
        to: { at: 8_000, batch: 50 + 0.6 * 49 },
        kind: "dead",
        restored: 39,
        text: "layer2: exit 137",
      },
    ]);
  });

  it("begins with the first who notices", () => {
    const [one, ...more] = outages(
      said("unreachable", 5_000, { text: "silent" }),
      said("dead", 6_000),
      event("layer2", "restored", 8_000, { incarnation: 2, batch: 39 }),
    );
    expect(one).toMatchObject({ from: { at: 5_000 }, to: { at: 8_000 }, text: "silent", kind: "dead" });
    expect(more).toEqual([]);
  });

  it("stands open while it lasts", () => {
    expect(outages(said("dead", 5_000))[0]).not.toHaveProperty("to");
  });

  it("is no death where it was only not heard", () => {
    const [silent] = outages(said("unreachable", 5_000), said("back", 7_000));
    expect(silent).toMatchObject({ kind: "silent", to: { at: 7_000 } });
  });

  it("is known by the next life where nobody saw the last one go", () => {
    const [unseen] = outages(event("layer2", "restored", 8_000, { incarnation: 2, batch: 39 }));
    expect(unseen).toMatchObject({ worker: "layer2", kind: "dead", restored: 39 });
  });

  it("is none where a layer goes back by itself", () => {
    const events = [
      event("layer2", "rewound", 7_900),
      event("layer2", "restored", 8_000, { incarnation: 2, batch: 39 }),
    ];
    expect(outages(...events)).toEqual([]);
    const died = event("layer2", "restored", 9_000, { incarnation: 3, batch: 39 });
    expect(outages(...events, died)).toMatchObject([{ to: { at: 9_000 } }]);
  });

  it("is none where a run is resumed for the first time, or a layer begins", () => {
    expect(outages(event("layer2", "began", 100), event("layer1", "lost", 200))).toEqual([]);
  });

  it("of one worker does not end another's", () => {
    const all = outages(
      said("dead", 5_000),
      event("layer1", "restored", 6_000, { incarnation: 2, batch: 9 }),
    );
    expect(all.find(({ worker }) => worker === "layer2")).not.toHaveProperty("to");
  });
});

describe("what a worker was told", () => {
  it("is marked from then until it was told otherwise, and is no absence", () => {
    const all = outages(
      event("layer1", "paused", 5_000),
      event("layer1", "delayed", 6_000),
      event("layer1", "resumed", 7_000),
      event("layer1", "undelayed", 8_000),
      event("layer1", "delayed", 9_000),
    );
    expect(all.map(({ kind, from, to }) => [kind, from.at, to?.at])).toEqual([
      ["paused", 5_000, 7_000],
      ["delayed", 6_000, 8_000],
      ["delayed", 9_000, undefined],
    ]);
    expect(all.filter(isAbsence)).toEqual([]);
  });

  it("ends with the life that was told", () => {
    const all = outages(
      event("layer2", "delayed", 4_000),
      event("layer1", "delayed", 4_500),
      said("died", 5_000),
      event("layer2", "restored", 8_000, { incarnation: 2, batch: 39 }),
    );
    expect(all.map(({ worker, kind, to }) => [worker, kind, to?.at])).toEqual([
      ["layer2", "delayed", 5_000],
      ["layer1", "delayed", undefined],
      ["layer2", "dead", 8_000],
    ]);
  });

  it("is nothing where a layer goes on that held, and lasts where a paused one does", () => {
    expect(outages(event("layer2", "held", 1_000), event("layer2", "continued", 2_000))).toEqual([]);
    const paused = outages(
      event("layer2", "held", 1_000),
      event("layer2", "paused", 2_000),
      event("layer2", "continued", 3_000),
      event("layer2", "resumed", 4_000),
    );
    expect(paused).toMatchObject([{ kind: "paused", from: { at: 2_000 }, to: { at: 4_000 } }]);
  });
});

describe("an event", () => {
  it("is of whom the hub speaks, not of the hub", () => {
    expect(subjectOf(said("dead", 0))).toBe("layer2");
    expect(subjectOf(event("layer1", "lost", 0))).toBe("layer1");
    expect(subjectOf(event("hub", "watching", 0))).toBeUndefined();
  });
});

describe("a time of a run", () => {
  it("is placed by how far the furthest had come, evenly within a segment", () => {
    const both = standing([segment("layer1", 0, 49), segment("layer2", 0, 29)]);
    expect(batchAt(both, 2_500)).toBeCloseTo(24.5);
    expect(batchAt(both, -5_000)).toBe(0);
    expect(batchAt(both, 99_000)).toBe(49);
    expect(batchAt(standing([]), 1)).toBe(0);
  });
});
