import { describe, expect, it } from "vitest";
import { barrier, Tried } from "./tried.ts";

describe("backprop", () => {
  const locked = { isLocked: true, window: 1 };

  it("learns a batch only when its gradient has come", () => {
    const layer = new Tried(locked);
    layer.link(0);
    expect(layer.batch(0)).toEqual(["passForward 0", "forward 0"]);
    expect(layer.state.cursor).toBe(-1);
    expect(layer.answer(0)).toEqual(["passBackward 0"]);
    expect(layer.state.cursor).toBe(0);
  });

  it("waits for the answer to a batch whose sender has gone, before it sends one again", () => {
    const layer = new Tried({ ...locked, window: 4 }, 9);
    layer.link(10);
    layer.batch(10);
    layer.hear({ event: "predecessorLost" });
    layer.hear({ event: "predecessorLinked" });
    expect([layer.batch(10), layer.batch(11)]).toEqual([[], []]);
    expect(layer.answer(10)).toEqual(["passForward 10", "forward 10"]);
    expect(layer.answer(10)).toEqual(["passBackward 10", "passForward 11", "forward 11"]);
    expect(layer.answer(11)).toEqual(["passBackward 11"]);
  });

  it("sends the batch again when its successor comes back", () => {
    const layer = new Tried(locked);
    layer.link(0);
    layer.batch(0);
    layer.hear({ event: "successorLost" });
    expect(layer.hear({ event: "successorLinked", need: 1 })).toEqual([
      "passForward 0",
      "forward 0",
      "resume",
    ]);
  });
});

describe("asynchronous backprop", () => {
  const late = { isLocked: true, window: 4, mostWorking: 4 };

  it("passes on one batch after another, and follows each gradient when it comes", () => {
    const layer = new Tried(late);
    layer.link(0);
    for (const batch of [0, 1, 2, 3])
      expect(layer.batch(batch)).toEqual([`passForward ${batch}`, `forward ${batch}`]);
    expect(layer.batch(4)).toEqual(["hangUp on predecessor: more than 4 unanswered activations"]);
    expect(layer.answer(0)).toEqual(["passBackward 0"]);
    expect(layer.state.cursor).toBe(0);
    expect(layer.batch(4)).toEqual(["passForward 4", "forward 4"]);
  });

  it("with staleness pinned to 2 follows that of b − 2 just before b, not earlier", () => {
    const layer = new Tried({ ...late, staleness: 2 });
    layer.link(0);
    layer.batch(0);
    expect(layer.answer(0)).toEqual([]);
    expect(layer.batch(1)).toEqual(["passForward 1", "forward 1", "passBackward 0"]);
    expect(layer.batch(2)).toEqual(["passForward 2", "forward 2"]);
    expect(layer.batch(3)).toEqual([]);
    expect(layer.answer(1)).toEqual(["passBackward 1", "passForward 3", "forward 3"]);
  });

  it("follows all of them before the network is judged or saved, and at the end", () => {
    const layer = new Tried({ ...late, staleness: 4, settleEvery: [3, 0], batches: 5 });
    layer.link(0);
    for (const batch of [0, 1, 2]) layer.batch(batch);
    expect(layer.hear(barrier(3))).toEqual([]);
    expect([layer.answer(0), layer.answer(1)]).toEqual([["passBackward 0"], ["passBackward 1"]]);
    expect(layer.answer(2)).toEqual(["passBackward 2", "acknowledge 3", "forward 3", "snapshot 3"]);
    layer.answer(3);
    layer.batch(3);
    expect(layer.answer(3)).toEqual([]);
    expect(layer.batch(4)).toEqual(["passForward 4", "forward 4", "passBackward 3"]);
    expect(layer.answer(4)).toEqual(["passBackward 4"]);
  });

  it("answers in order: a batch that was learnt before, or a gap, waits for those before it", () => {
    const layer = new Tried({ ...late, window: 8 }, 4);
    layer.link(5);
    layer.batch(5);
    layer.batch(6);
    expect(layer.batch(9)).toEqual([]);
    expect(layer.answer(5)).toEqual(["passBackward 5"]);
    expect(layer.answer(6)).toEqual(["passBackward 6", "rewind 7", "acknowledge 9"]);
  });

  it("sends again what waits when its successor comes back, and learns each once", () => {
    const layer = new Tried(late);
    layer.link(0);
    for (const batch of [0, 1, 2]) layer.batch(batch);
    layer.answer(0);
    expect(layer.hear({ event: "successorLost" })).toEqual(["forget", "hold"]);
    expect(layer.hear({ event: "successorLinked", need: 1 })).toEqual([
      ...["passForward 1", "forward 1", "passForward 2", "forward 2", "resume"],
    ]);
    expect([layer.answer(1), layer.answer(2)]).toEqual([["passBackward 1"], ["passBackward 2"]]);
    expect(layer.state.cursor).toBe(2);
  });

  it("with pinned staleness does not wait for batches whose room is taken by one that was sent twice", () => {
    const layer = new Tried({ ...late, window: 2, mostWorking: 2, staleness: 2 }, 9);
    layer.link(10);
    layer.batch(10);
    layer.batch(10);
    expect(layer.answer(10)).toEqual(["passBackward 10"]);
    expect(layer.answer(10)).toEqual(["passBackward 10"]);
    expect(layer.batch(11)).toEqual(["passForward 11", "forward 11"]);
  });

  it("waits for none of those that come again: the gradient of one may be due only behind another that waits", () => {
    const layer = new Tried({ ...late, staleness: 2 });
    layer.link(0);
    for (const batch of [0, 1, 2]) layer.batch(batch);
    expect(layer.hear({ event: "rewound", need: 0 })).toEqual([
      ...["forget", "acknowledge 0", "acknowledge 1", "rewind 0", "acknowledge 2"],
    ]);
    expect(layer.batch(0)).toEqual(["passForward 0", "forward 0"]);
    expect([layer.answer(0), layer.answer(1)]).toEqual([[], []]);
    expect(layer.answer(0)).toEqual([]);
    expect([layer.batch(1), layer.batch(2)].flat()).toContain("passBackward 0");
    expect(layer.state.cursor).toBe(0);
  });

  describe("pinned, waits for none whose gradients come due only behind what waits for them:", () => {
    const waiting = () => {
      const layer = new Tried({ ...late, window: 8, mostWorking: 8, staleness: 3 }, 49);
      layer.link(41);
      for (const batch of [41, 42]) layer.batch(batch);
      return layer;
    };
    const abandoned = ["forget", "acknowledge 41", "acknowledge 42"];

    it("its predecessor has begun anew", () => {
      const item = { kind: "evaluation", batch: 40, part: 0, parts: 1, frame: "x" } as const;
      expect(waiting().hear({ event: "heard", item }).slice(0, 3)).toEqual(abandoned);
    });

    it("the next batch leaves a gap", () => {
      expect(waiting().batch(60).slice(0, 4)).toEqual([...abandoned, "rewind 43"]);
    });

    it("but it waits where the next batch makes them due", () => {
      expect(waiting().batch(43)).toEqual(["passForward 43", "forward 43"]);
    });
  });

  it("late, leaves a barrier out behind which later batches are unanswered", () => {
    const layer = new Tried({ ...late, staleness: 3, snapshotEvery: 20 }, 19);
    layer.link(20);
    for (const batch of [20, 21]) layer.batch(batch);
    layer.hear({ event: "predecessorLost" });
    layer.hear({ event: "predecessorLinked" });
    layer.hear({ event: "rewound", need: 20 });
    expect(layer.hear(barrier(20))).toEqual(["acknowledge 20"]);
  });

  it("takes no answer to a batch whose sender has gone for one to the batch sent again", () => {
    const layer = new Tried({ ...late, window: 8 }, 9);
    layer.link(10);
    layer.batch(10);
    expect(layer.hear({ event: "predecessorLost" })).toEqual(["forget"]);
    layer.hear({ event: "predecessorLinked" });
    expect(layer.batch(10)).toEqual(["passForward 10", "forward 10"]);
    expect(layer.answer(10)).toEqual([]);
    expect(layer.answer(10)).toEqual(["passBackward 10"]);
  });
});
