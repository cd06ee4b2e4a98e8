import { describe, expect, it } from "vitest";
import { isKept, need } from "../../shared/delivery/layer-state.ts";
import { barrier, end, Tried } from "./tried.ts";

describe("what a layer needs", () => {
  it("is the lower of its own next batch and its successor's", () => {
    const layer = new Tried({}, 9);
    expect(need(layer.state)).toBe(10);
    layer.hear({ event: "successorLinked", need: 4 });
    expect(need(layer.state)).toBe(4);
  });

  it("is passed on as a rewind when the successor lacks what this layer has", () => {
    const layer = new Tried({}, 9);
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear({ event: "successorLinked", need: 4 })).toEqual(["rewind 4"]);
    expect(layer.hear({ event: "rewound", need: 2 })).toEqual(["rewind 2"]);
  });
});

describe("what is attached to an event", () => {
  const hear = (layer: Tried, batch: number, frame: string) =>
    layer.hear({ event: "heard", item: { kind: "batch", batch, frame } });

  it("is not kept once it is dealt with", () => {
    const layer = new Tried();
    layer.link(0);
    hear(layer, 0, "a batch");
    layer.answer(0, "a target");
    expect(["a batch", "a target"].map((each) => isKept(layer.state, each))).toEqual([false, false]);
  });

  it("is kept while it waits in the inbox, and no longer", () => {
    const layer = new Tried();
    layer.link(0);
    layer.hear({ event: "paused" });
    hear(layer, 0, "a batch");
    layer.hear(barrier(1));
    layer.hear({ event: "heard", item: end });
    expect(["a batch", "b"].map((each) => isKept(layer.state, each))).toEqual([true, true]);
    layer.hear({ event: "unpaused" });
    expect(isKept(layer.state, "a batch")).toBe(false);
  });

  it("is kept while a locked layer waits for its gradient", () => {
    const layer = new Tried({ isLocked: true });
    layer.link(0);
    hear(layer, 0, "a batch");
    expect(isKept(layer.state, "a batch")).toBe(true);
    layer.answer(0);
    expect(isKept(layer.state, "a batch")).toBe(false);
  });

  it("is kept while what a guessed input came to may still be heard", () => {
    const layer = new Tried({ isUnlocked: true });
    layer.link(0);
    hear(layer, 0, "a batch");
    expect(isKept(layer.state, "a batch")).toBe(true);
    layer.hear({ event: "heard", item: { kind: "correction", batch: 0, frame: "an output" } });
    expect(["a batch", "an output"].map((each) => isKept(layer.state, each))).toEqual([false, false]);
  });

  it("is kept while it is too early for a target", () => {
    const layer = new Tried({ staleness: 2 });
    layer.link(0);
    layer.batch(0);
    layer.answer(0, "a target");
    expect(isKept(layer.state, "a target")).toBe(true);
    layer.batch(1);
    layer.batch(2);
    expect(isKept(layer.state, "a target")).toBe(false);
  });
});
