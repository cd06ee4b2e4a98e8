import { describe, expect, it } from "vitest";
import type { Item } from "../../shared/delivery/items.ts";
import { end, Tried, type Words } from "./tried.ts";

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
    expect(layer.answer(1)).toEqual(["hangUp on successor: answer is for batch 1, expected batch 0"]);
  });

  it("to a doubled part of an evaluation do not pass for the answer to the batch of the same number", () => {
    const layer = new Tried({}, 1);
    layer.link(2);
    const part = { kind: "evaluation", batch: 2, part: 0 } as const;
    layer.hear({ event: "heard", item: { ...part, parts: 1, frame: "x" } });
    layer.batch(2);
    expect(layer.answerTo(part)).toEqual([]);
    const why = "answer is for part 0 before batch 2, expected batch 2";
    expect(layer.answerTo(part)).toEqual([`hangUp on successor: ${why}`]);
    // Nothing was forgotten of it.
    expect(layer.answer(2)).toEqual(["learn 2"]);
  });

  it("without numbers teach nothing", () => {
    const layer = new Tried();
    layer.link(0);
    layer.batch(0);
    expect(layer.answer(0, "")).toEqual(["forget"]);
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
    layer.answer(0);
    expect(layer.hear({ event: "finished" })).toEqual([]);
    layer.answer(1);
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
