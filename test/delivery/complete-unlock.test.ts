import { describe, expect, it } from "vitest";
import { step } from "../../shared/delivery/layer-delivery.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import { barrier, Tried, type Words } from "./tried.ts";

describe("complete unlock", () => {
  const unlocked = (change: Partial<Rules> = {}, cursor = -1) =>
    new Tried({ isUnlocked: true, ...change }, cursor);
  const correction = (batch: number): LayerEvent<Words> => {
    return { event: "heard", item: { kind: "correction", batch, frame: `output ${batch}` } };
  };

  it("shows a batch to the successor before it is worked on, and only a successor that may have it", () => {
    const layer = unlocked();
    layer.hear({ event: "predecessorLinked" });
    expect(layer.batch(0)).toEqual(["update 0"]);
    layer.hear({ event: "successorLinked", need: 1 });
    expect(layer.batch(1)).toEqual(["preview 1", "update 1", "forward 1"]);
    layer.hear({ event: "rewound", need: 0 });
    expect(layer.batch(0)).toEqual(["preview 0", "rehearse 0", "forward 0"]);
    expect(layer.batch(0)).toEqual(["rehearse 0"]);
    const heard = new Tried();
    heard.link(0);
    expect(heard.batch(0)).toEqual(["update 0", "forward 0"]);
  });

  it("shows nothing while the window is full: what is shown is in flight", () => {
    const layer = unlocked({ window: 1 });
    layer.link(0);
    layer.batch(0);
    expect(layer.batch(1)).toEqual([]);
    expect(layer.answer(0)).toEqual(["learn 0", "preview 1", "update 1", "forward 1"]);
  });

  it("learns once what an input came to, from the batch that it was guessed of", () => {
    const layer = unlocked();
    layer.link(0);
    layer.batch(0);
    const [state, effects] = step(layer.rules, layer.state, correction(0));
    const item = { kind: "batch", batch: 0, rows: 2, frame: "x" };
    expect(effects).toEqual([{ effect: "correct", item, correction: "output 0" }]);
    layer.state = state;
    expect(layer.hear(correction(0))).toEqual([]);
  });

  it("learns it after its own batch and before the next, however long that waits", () => {
    const layer = unlocked({ window: 2, staleness: 1 });
    layer.link(0);
    layer.batch(0);
    layer.hear(correction(0));
    for (const batch of [1, 2]) {
      expect(layer.batch(batch)).toEqual([]);
      expect(layer.hear(correction(batch))).toEqual([]);
    }
    expect(layer.answer(0)).toEqual(["learn 0", "preview 1", "update 1", "forward 1", "correct 1"]);
    expect(layer.answer(1)).toEqual(["learn 1", "preview 2", "update 2", "forward 2", "correct 2"]);
  });

  it("learns it before the network's snapshot is taken, and before the run ends", () => {
    const head = unlocked({ isHead: true, batches: 2 });
    head.hear({ event: "predecessorLinked" });
    head.hear({ event: "paused" });
    for (const event of [correction(0), correction(1)]) head.hear(event);
    head.batch(0);
    head.hear(correction(0));
    head.hear(barrier(1));
    expect(head.hear({ event: "unpaused" })).toEqual([
      "update 0",
      "correct 0",
      "acknowledge 1",
      "snapshot 1",
    ]);
  });

  it("learns nothing of a batch learnt before, or too early, or not at all, or of another number", () => {
    const layer = unlocked({}, 9);
    layer.link(9);
    for (const batch of [9, 12]) {
      layer.batch(batch);
      expect(layer.hear(correction(batch)), String(batch)).toEqual([]);
    }
    layer.batch(10);
    for (const batch of [9, 11]) expect(layer.hear(correction(batch)), String(batch)).toEqual([]);
    layer.hear({ event: "paused" });
    layer.batch(9);
    layer.hear(correction(9));
    layer.batch(11);
    layer.hear(correction(11));
    expect(layer.hear({ event: "unpaused" })).toEqual([
      ...["rehearse 9", "preview 11", "update 11", "forward 11", "correct 11"],
    ]);
  });

  it("learns nothing from what comes over another link than its batch did", () => {
    const layer = unlocked();
    layer.link(0);
    layer.batch(0);
    layer.hear({ event: "predecessorLost" });
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear(correction(0))).toEqual([]);
    layer.batch(0);
    expect(layer.hear(correction(0))).toEqual([]);
  });

  it("keeps at most one correction for each batch that waits, however many are sent, and none takes room", () => {
    const layer = unlocked();
    layer.link(0);
    layer.batch(0);
    layer.hear({ event: "paused" });
    for (let i = 0; i < 1000; i++) layer.hear(correction(0));
    for (const batch of [1, 2, 3, 4]) {
      expect(layer.batch(batch)).toEqual([]);
      for (let i = 0; i < 1000; i++) for (const any of [0, batch, batch + 1]) layer.hear(correction(any));
    }
    expect(layer.state.inbox.map(({ kind }) => kind)).toEqual([
      "correction",
      ...["batch", "correction", "batch", "correction", "batch", "correction", "batch", "correction"],
    ]);
    expect(layer.batch(5)).toEqual(["hangUp on predecessor: more than 4 unanswered activations"]);
  });
});
