import { describe, expect, it } from "vitest";
import type { Item } from "../../shared/delivery/items.ts";
import { type LayerEffect, type LayerEvent, step } from "../../shared/delivery/layer-delivery.ts";
import { initialState, isKept, type LayerState, need } from "../../shared/delivery/layer-state.ts";
import type { Rules } from "../../shared/delivery/rules.ts";

const usual: Rules = { batches: 100, window: 4, isHead: false, isLocked: false, stalenessBudget: 8 };

/** A layer whose effects can be read as short words: "update 3", "forward 3", … */
class Tried {
  state: LayerState<string>;
  readonly rules: Rules;

  constructor(change: Partial<Rules> = {}, cursor = -1) {
    this.rules = { ...usual, ...change };
    this.state = initialState(cursor);
  }

  hear(event: LayerEvent<string>): string[] {
    const [state, effects] = step(this.rules, this.state, event);
    this.state = state;
    return effects.map(inWords);
  }

  batch(number: number): string[] {
    return this.hear({ event: "heard", item: { kind: "batch", batch: number, frame: "x" } });
  }

  link(needed: number): string[] {
    return [
      ...this.hear({ event: "predecessorLinked" }),
      ...this.hear({ event: "successorLinked", need: needed }),
    ];
  }

  answer(batch: number, target: string | undefined = "t"): string[] {
    return this.hear({ event: "answered", batch, ...(target ? { target } : {}) });
  }
}

function inWords(effect: LayerEffect<string>): string {
  if ("item" in effect) return `${effect.effect} ${effect.item.batch}`;
  if ("need" in effect) return `${effect.effect} ${effect.need}`;
  if ("batch" in effect) return `${effect.effect} ${effect.batch}`;
  if ("side" in effect) return `${effect.effect} on ${effect.side}: ${effect.reason}`;
  return effect.effect;
}

const end: Item<string> = { kind: "end" };

function barrier(batch: number): LayerEvent<string> {
  return { event: "heard", item: { kind: "barrier", batch, frame: "b" } };
}

describe("a batch", () => {
  it("that is next is learnt and answered before it goes on", () => {
    const layer = new Tried();
    layer.link(0);
    expect(layer.batch(0)).toEqual(["update 0", "forward 0"]);
    expect(layer.state.cursor).toBe(0);
  });

  it("that was learnt before is answered without learning, and goes on only where it is lacking", () => {
    const layer = new Tried({}, 9);
    layer.link(5);
    expect(layer.batch(5)).toEqual(["rehearse 5", "forward 5"]);
    expect(layer.batch(5)).toEqual(["rehearse 5"]);
    expect(layer.state.cursor).toBe(9);
  });

  it("beyond the next is answered without numbers, and a rewind is asked for once", () => {
    const layer = new Tried();
    layer.link(0);
    expect(layer.batch(2)).toEqual(["rewind 0", "acknowledge 2"]);
    expect(layer.batch(3)).toEqual(["acknowledge 3"]);
    expect(layer.batch(0)).toEqual(["update 0", "forward 0"]);
  });

  it("waits while the window is full, and goes on when an answer makes room", () => {
    const layer = new Tried();
    layer.link(0);
    for (let batch = 0; batch < 4; batch++) layer.batch(batch);
    expect(layer.batch(4)).toEqual([]);
    expect(layer.answer(0)).toEqual(["learn 0", "update 4", "forward 4"]);
  });

  it("more than the window allows ends the link with the predecessor", () => {
    const layer = new Tried();
    layer.link(0);
    for (let batch = 0; batch < 8; batch++) layer.batch(batch);
    expect(layer.batch(8)).toEqual(["hangUp on predecessor: more than 4 unanswered activations"]);
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

describe("a pause", () => {
  it("leaves what comes in the inbox, within the window, until it is over", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    expect(layer.hear({ event: "paused" })).toEqual([]);
    for (let batch = 1; batch < 5; batch++) expect(layer.batch(batch)).toEqual([]);
    expect(layer.state.cursor).toBe(0);
    expect(layer.batch(5)).toEqual(["hangUp on predecessor: more than 4 unanswered activations"]);
    expect(layer.hear({ event: "unpaused" })).toEqual([
      ...["update 1", "forward 1", "update 2", "forward 2", "update 3", "forward 3"],
    ]);
    expect(layer.answer(0)).toEqual(["learn 0", "update 4", "forward 4"]);
  });

  it("does not keep the generator from learning, nor the links from coming and going", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    layer.hear({ event: "paused" });
    layer.batch(1);
    expect(layer.answer(0)).toEqual(["learn 0"]);
    expect(layer.hear({ event: "successorLost" })).toEqual([]);
    expect(layer.hear({ event: "successorLinked", need: 1 })).toEqual([]);
    expect(layer.hear({ event: "predecessorLost" })).toEqual([]);
    expect(layer.hear({ event: "predecessorLinked" })).toEqual([]);
    expect(layer.batch(1)).toEqual([]);
    expect(layer.hear({ event: "unpaused" })).toEqual(["update 1", "forward 1"]);
  });
});

describe("while the successor is away", () => {
  it("a layer learns on for its staleness budget, then holds, and resumes with the successor", () => {
    const layer = new Tried({ window: 20 });
    layer.hear({ event: "predecessorLinked" });
    for (let batch = 0; batch < 8; batch++) expect(layer.batch(batch)).toEqual([`update ${batch}`]);
    expect(layer.batch(8)).toEqual(["hold"]);
    expect(layer.hear({ event: "successorLinked", need: 8 })).toEqual(["update 8", "forward 8", "resume"]);
  });

  it("held batches make way for the earlier ones that the successor lacks", () => {
    const layer = new Tried({ window: 20 });
    layer.hear({ event: "predecessorLinked" });
    for (let batch = 0; batch < 9; batch++) layer.batch(batch);
    expect(layer.hear({ event: "successorLinked", need: 3 })).toEqual([
      "rewind 3",
      "acknowledge 8",
      "resume",
    ]);
    expect(layer.batch(3)).toEqual(["rehearse 3", "forward 3"]);
  });

  it("evidence of what was in flight is forgotten", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    expect(layer.hear({ event: "successorLost" })).toEqual(["forget"]);
    expect(layer.answer(0)).toEqual([]);
  });
});

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

describe("answers", () => {
  it("out of order end the link with the successor", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    layer.batch(1);
    expect(layer.answer(1)).toEqual(["hangUp on successor: answer is for batch 1, expected 0"]);
  });

  it("without numbers teach nothing", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    expect(layer.hear({ event: "answered", batch: 0 })).toEqual(["forget"]);
  });
});

describe("with staleness pinned to 2", () => {
  it("batch b waits for the target of b − 2, which is learnt just before it", () => {
    const layer = new Tried({ staleness: 2 });
    layer.link(0);
    expect(layer.batch(0)).toEqual(["update 0", "forward 0"]);
    expect(layer.batch(1)).toEqual(["update 1", "forward 1"]);
    expect(layer.batch(2)).toEqual([]);
    expect(layer.answer(0)).toEqual(["learn 0", "update 2", "forward 2"]);
  });

  it("a target that comes early waits for its turn", () => {
    const layer = new Tried({ staleness: 2 });
    layer.link(0);
    layer.batch(0);
    expect(layer.answer(0)).toEqual([]);
    expect(layer.batch(1)).toEqual(["update 1", "forward 1"]);
    expect(layer.batch(2)).toEqual(["learn 0", "update 2", "forward 2"]);
  });

  it("not even batch 0 is learnt before the successor is there, so that nothing is ever sent twice", () => {
    const layer = new Tried({ staleness: 2 });
    layer.hear({ event: "predecessorLinked" });
    expect(layer.batch(0)).toEqual(["hold"]);
    expect(layer.batch(1)).toEqual([]);
    expect(layer.hear({ event: "successorLinked", need: 0 })).toEqual([
      "update 0",
      "forward 0",
      "update 1",
      "forward 1",
      "resume",
    ]);
  });
});

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

describe("the end", () => {
  it("goes on once everything is answered; finished comes back once the last checkpoint is durable", () => {
    const layer = new Tried({ batches: 1 });
    layer.link(0);
    layer.batch(0);
    expect(layer.hear({ event: "heard", item: end })).toEqual([]);
    expect(layer.answer(0)).toEqual(["learn 0", "end"]);
    expect(layer.hear({ event: "finished" })).toEqual(["save"]);
    expect(layer.hear({ event: "saved" })).toEqual(["finished"]);
    expect(layer.hear({ event: "released" })).toEqual(["release"]);
  });

  it("is not believed before its own last batch: a former life had brought it to the others", () => {
    const layer = new Tried({ batches: 2 });
    layer.link(0);
    layer.batch(0);
    expect(layer.hear({ event: "finished" })).toEqual([]);
    layer.batch(1);
    expect(layer.hear({ event: "finished" })).toEqual(["save"]);
  });

  it("is not accepted by a head that has not judged all held-out data", () => {
    const head = new Tried({ batches: 1, isHead: true }, 0);
    head.hear({ event: "predecessorLinked" });
    expect(head.hear({ event: "heard", item: end })).toEqual(["rewind 1"]);
    const part = (number: number): Item<string> => ({
      kind: "evaluation",
      batch: 1,
      part: number,
      parts: 2,
      frame: "x",
    });
    head.hear({ event: "heard", item: part(0) });
    head.hear({ event: "heard", item: part(1) });
    expect(head.hear({ event: "heard", item: end })).toEqual(["save"]);
  });
});

describe("a barrier", () => {
  it("waits until all before it is answered, and holds up what comes behind it", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    layer.batch(1);
    expect(layer.hear(barrier(2))).toEqual([]);
    expect(layer.batch(2)).toEqual([]);
    expect(layer.answer(0)).toEqual(["learn 0"]);
    expect(layer.answer(1)).toEqual([
      ...["learn 1", "acknowledge 2", "forward 2", "snapshot 2"],
      ...["update 2", "forward 2"],
    ]);
  });

  it("is answered like any other item, and teaches nothing", () => {
    const layer = new Tried({}, 4);
    layer.link(5);
    expect(layer.hear(barrier(5))).toEqual(["acknowledge 5", "forward 5", "snapshot 5"]);
    expect(layer.answer(5, "")).toEqual([]);
    expect(layer.answer(5, "")[0]).toContain("hangUp on successor");
  });

  it("saves nothing unless this layer and those after it stand exactly there", () => {
    const ahead = new Tried({}, 5);
    ahead.link(5);
    expect(ahead.hear(barrier(5))).toEqual(["acknowledge 5"]);
    const behind = new Tried({}, 3);
    behind.link(4);
    expect(behind.hear(barrier(5))).toEqual(["acknowledge 5"]);
    const lacking = new Tried({}, 4);
    lacking.link(3);
    expect(lacking.hear(barrier(5))).toEqual(["acknowledge 5"]);
    const alone = new Tried({}, 4);
    alone.hear({ event: "predecessorLinked" });
    expect(alone.hear(barrier(5))).toEqual(["acknowledge 5"]);
  });

  it("is given up when the successor goes away meanwhile, and then nothing waits for it", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    layer.hear(barrier(1));
    layer.batch(1);
    expect(layer.hear({ event: "successorLost" })).toEqual(["forget", "acknowledge 1", "update 1"]);
  });

  it("ends at the head, which waits for nobody", () => {
    const head = new Tried({ isHead: true }, 4);
    head.hear({ event: "predecessorLinked" });
    expect(head.hear(barrier(5))).toEqual(["acknowledge 5", "snapshot 5"]);
  });

  it("makes a pinned layer learn what it has heard: what is saved lacks no target", () => {
    const layer = new Tried({ staleness: 3 });
    layer.link(0);
    layer.batch(0);
    layer.answer(0);
    layer.batch(1);
    expect(layer.answer(1)).toEqual([]);
    expect(layer.hear(barrier(2))).toEqual([
      ...["learn 0", "learn 1", "acknowledge 2", "forward 2", "snapshot 2"],
    ]);
    layer.answer(2, "");
    expect(layer.batch(2)).toEqual(["update 2", "forward 2"]);
  });

  it("counts in the window", () => {
    const layer = new Tried({ window: 1 });
    layer.hear({ event: "predecessorLinked" });
    layer.hear({ event: "successorLinked", need: 0 });
    layer.batch(0);
    layer.hear(barrier(1));
    expect(layer.batch(1)[0]).toContain("hangUp on predecessor");
  });
});

describe("complete unlock", () => {
  const unlocked = (change: Partial<Rules> = {}, cursor = -1) =>
    new Tried({ isUnlocked: true, ...change }, cursor);
  const correction = (batch: number): LayerEvent<string> => {
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
    const item = { kind: "batch", batch: 0, frame: "x" };
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
