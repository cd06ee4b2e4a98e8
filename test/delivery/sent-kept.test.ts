import { describe, expect, it } from "vitest";
import { initialState, need } from "../../shared/delivery/delivery-state.ts";
import { Tried } from "./tried.ts";

describe("with what was sent kept", () => {
  const kept = { staleness: 2, sentKept: 40 };
  const learnt = (batches: number, change = {}) => {
    const layer = new Tried({ ...kept, ...change });
    layer.link(0);
    for (let batch = 0; batch < batches; batch++) {
      layer.batch(batch);
      layer.answer(batch);
    }
    layer.hear({ event: "successorLost" });
    return layer;
  };

  it("a successor that comes back gets from it what it lacks, a window at a time; nobody else is asked", () => {
    const layer = learnt(8);
    expect(layer.hear({ event: "successorLinked", need: 2 })).toEqual(
      [2, 3, 4, 5].map((b) => `sendAgain ${b}`),
    );
    expect(need(layer.state)).toBe(8);
    expect(layer.answer(2)).toEqual(["forget", "sendAgain 6"]);
  });

  it("the next batch waits until the successor has caught up, and targets are learnt once", () => {
    const layer = learnt(8);
    layer.hear({ event: "successorLinked", need: 6 });
    expect(layer.batch(8)).toEqual(["update 8", "forward 8"]);
    expect([layer.answer(6), layer.answer(7)]).toEqual([["forget"], ["forget"]]);
    expect(layer.answer(8)).toEqual(["learn 7"]);
    expect(layer.batch(9)).toEqual(["update 9", "forward 9"]);
  });

  it("held-out data that came between, or the end, is asked for from the source", () => {
    const layer = learnt(8, { evaluateEvery: 6 });
    expect(layer.hear({ event: "successorLinked", need: 5 })).toEqual(["rewind 5"]);
    expect(layer.hear({ event: "rewound", need: 5 })).toEqual(["rewind 5"]);
    expect(learnt(8, { batches: 8 }).hear({ event: "successorLinked", need: 5 })).toEqual(["rewind 5"]);
  });

  it("held-out data that comes next waits for a successor that is catching up", () => {
    const layer = learnt(8, { evaluateEvery: 9 });
    layer.hear({ event: "successorLinked", need: 2 });
    layer.batch(8);
    const item = { kind: "evaluation", batch: 9, part: 0, parts: 1, frame: "x" } as const;
    expect(layer.hear({ event: "heard", item })).toEqual([]);
    for (const batch of [2, 3, 4, 5, 6, 7]) layer.answer(batch);
    expect(layer.state.inbox).toEqual([]);
  });

  it("with a free schedule, too: each target is learnt once, whoever is sent its batch twice", () => {
    const layer = new Tried({ sentKept: 40 });
    layer.link(0);
    for (const batch of [0, 1]) layer.batch(batch);
    layer.answer(0);
    layer.hear({ event: "successorLost" });
    expect(layer.hear({ event: "successorLinked", need: 0 })).toEqual(["sendAgain 0", "sendAgain 1"]);
    expect([layer.answer(0), layer.answer(1)]).toEqual([["forget"], ["learn 1"]]);
  });

  it("an answer without numbers is heard, too: its batch is not sent again, unless the successor lacks it", () => {
    const layer = new Tried({ sentKept: 40 });
    layer.link(0);
    for (const batch of [0, 1, 2]) layer.batch(batch);
    expect([layer.answer(0, ""), layer.answer(1, "")]).toEqual([["forget"], ["forget"]]);
    layer.hear({ event: "rewound", need: 2 });
    layer.answer(2, "");
    layer.hear({ event: "successorLost" });
    expect(layer.hear({ event: "successorLinked", need: 3 })).toEqual(["sendAgain 2"]);
  });

  it("a layer that learnt on alone waits until its successor has caught up: its targets do not stay as old", () => {
    const slow = new Tried({ sentKept: 4, stalenessBudget: 100, window: 2 });
    slow.hear({ event: "predecessorLinked" });
    for (const batch of [0, 1, 2, 3]) slow.batch(batch);
    expect(slow.hear({ event: "successorLinked", need: 0 })).toEqual(["sendAgain 0", "sendAgain 1"]);
    expect(slow.batch(4)).toEqual([]);
    expect(slow.answer(0)).toEqual(["learn 0", "sendAgain 2"]);
    expect(slow.answer(1)).toEqual(["learn 1", "sendAgain 3"]);
    expect(slow.answer(2)).toEqual(["learn 2", "update 4", "forward 4"]);
  });

  it("a layer learns on alone no further than it keeps what its targets are lacking of, whatever its budget", () => {
    const layer = new Tried({ sentKept: 6, stalenessBudget: 4, window: 8 });
    layer.hear({ event: "predecessorLinked" });
    for (const batch of [0, 1, 2, 3]) layer.batch(batch);
    layer.hear({ event: "successorLinked", need: 0 });
    expect(layer.answer(0)).toEqual(["learn 0"]);
    layer.hear({ event: "successorLost" });
    // The budget begins anew with target 0 and ends at batch 8; of batch 1 it keeps what it sent up to batch 6.
    for (const batch of [4, 5, 6]) expect(layer.batch(batch)).toEqual([`update ${batch}`]);
    expect(layer.batch(7)).toEqual(["hold"]);
    expect(layer.hear({ event: "successorLinked", need: 4 })[0]).toBe("sendAgain 1");
  });

  it("what a former life sent is sent again by the one after it", () => {
    const layer = new Tried({ sentKept: 40 });
    layer.state = initialState(9, { sinceTarget: 10, learnt: 0, corrected: 9, firstSent: 0 });
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear({ event: "successorLinked", need: 8 }).slice(0, 2)).toEqual([
      "sendAgain 0",
      "sendAgain 1",
    ]);
    expect(need(layer.state)).toBe(10);
  });

  it("what it does not keep, as it has just begun itself, is asked for", () => {
    const layer = new Tried(kept, 9);
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear({ event: "successorLinked", need: 7 })).toEqual(["rewind 7"]);
  });

  /** It follows the order of a former life, which learnt five targets before batch 10 and those after it. */
  const follower = (firstSent: number) => {
    const layer = new Tried({ sentKept: 40, window: 20 });
    const standing = { sinceTarget: 5, learnt: 5, corrected: 9, firstSent };
    const written = Array.from({ length: 31 }, (_, batch) => (batch < 10 ? undefined : 5));
    layer.state = initialState(9, standing, false, written);
    return layer;
  };

  it.each([
    ["waits for its turn", 5, []],
    ["comes after one that is lost", 7, ["forget"]],
  ])("a target that %s does not refresh the staleness budget: it may never be learnt", (_, first, heard) => {
    const layer = follower(first);
    layer.link(first);
    layer.batch(first);
    expect(layer.answer(first)).toEqual(heard);
    layer.hear({ event: "successorLost" });
    for (const batch of [10, 11, 12]) expect(layer.batch(batch)).toEqual([`update ${batch}`]);
    expect(layer.batch(13)).toEqual(["hold"]);
  });
});
