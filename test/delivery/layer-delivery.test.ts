import { describe, expect, it } from "vitest";
import { need } from "../../shared/delivery/delivery-state.ts";
import type { Item } from "../../shared/delivery/items.ts";
import { barrier, end, Tried, type Words } from "./tried.ts";

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

  it("what it does not keep, as it has just begun itself, is asked for", () => {
    const layer = new Tried(kept, 9);
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear({ event: "successorLinked", need: 7 })).toEqual(["rewind 7"]);
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

  it("is not left by a layer that is told to before it has saved its last batch", () => {
    const layer = new Tried({ batches: 2 });
    layer.link(0);
    const refused = (batch: number) => [`hangUp on predecessor: release at batch ${batch}, expected after 1`];
    expect(layer.hear({ event: "released" })).toEqual(refused(-1));
    layer.batch(0);
    layer.batch(1);
    for (const batch of [0, 1]) layer.answer(batch);
    layer.hear({ event: "heard", item: end });
    layer.hear({ event: "finished" });
    expect(layer.hear({ event: "released" })).toEqual(refused(-1));
    layer.hear({ event: "saved" });
    expect(layer.hear({ event: "released" })).toEqual(["release"]);
  });

  it("was saved by a layer that began with its last batch: it leaves when it is told to", () => {
    const layer = new Tried({ batches: 2 }, 1);
    layer.hear({ event: "predecessorLinked" });
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

  it("is not believed with staleness pinned before all answers are learnt, which a former life had learnt", () => {
    const layer = new Tried({ batches: 2, staleness: 2 });
    layer.link(0);
    for (const batch of [0, 1]) layer.batch(batch);
    expect(layer.hear({ event: "finished" })).toEqual([]);
    layer.answer(0);
    expect(layer.hear({ event: "finished" })).toEqual([]);
    layer.answer(1);
    expect(layer.hear({ event: "heard", item: end })).toEqual(["learn 1", "end"]);
    expect(layer.hear({ event: "finished" })).toEqual(["save"]);
  });

  it("is not accepted by a head that has not judged all held-out data", () => {
    const head = new Tried({ batches: 1, isHead: true }, 0);
    head.hear({ event: "predecessorLinked" });
    expect(head.hear({ event: "heard", item: end })).toEqual(["rewind 1"]);
    const part = (number: number): Item<Words> => ({
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
