import { describe, expect, it } from "vitest";
import { barrier, Tried } from "./tried.ts";

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
