import { describe, expect, it } from "vitest";
import { cardOf, OLD_AFTER_MS } from "../../../../services/page/chain/worker-cards.ts";
import { conditionOf } from "../../../../shared/record/condition.ts";
import type { WorkerView } from "../../../../shared/record/hub-api.ts";
import { event, worker } from "../lines.ts";

const NOW = 10_000;

function room(more: Partial<WorkerView> = {}, events = [] as Parameters<typeof cardOf>[3], isHead = false) {
  return cardOf(worker("layer2", more), isHead, NOW, events);
}

describe("a room", () => {
  it("is lit while its layer trains, and says how fast", () => {
    expect(room()).toMatchObject({
      tone: "lit",
      state: "training",
      rate: "10.0",
      batch: "100",
      isOld: false,
    });
  });

  it("is dark when its process is known to be gone, whatever it said last", () => {
    const dead = room({ contact: "dead", why: "exit 137", since: NOW - 4_000, heardAt: NOW - 5_000 });
    expect(dead).toMatchObject({
      tone: "dark",
      state: "dead",
      note: "exit 137, 4 s ago",
      isOld: true,
      age: "5 s",
    });
  });

  it("is not dark when it is only unreachable, and says when it was heard", () => {
    const silent = room({ contact: "unreachable", why: "silent", heardAt: NOW - 4_000 });
    expect(silent).toMatchObject({ tone: "silent", state: "unreachable", note: "last heard 4 s ago" });
  });

  it("has old figures from 2.5 seconds on, and no rate then", () => {
    expect(room({ heardAt: NOW - OLD_AFTER_MS })).toMatchObject({ isOld: false, rate: "10.0" });
    expect(room({ heardAt: NOW - OLD_AFTER_MS - 1 })).toMatchObject({ isOld: true, rate: "–", age: "3 s" });
  });

  it("has no rate from the moment that it is dead or unreachable", () => {
    for (const contact of ["dead", "unreachable"] as const) {
      expect(room({ contact, heardAt: NOW })).toMatchObject({ isOld: true, rate: "–" });
    }
  });

  it("keeps the last figures of one that left in order, as old ones where it may come back", () => {
    const stopped = room({ contact: "gone", why: "stopped", heardAt: NOW - 4000 });
    expect(stopped).toMatchObject({ tone: "done", state: "stopped", isOld: true, rate: "–", age: "4 s" });
    const gone = room({ contact: "gone", why: "finished", heardAt: 0 });
    expect(gone).toMatchObject({ tone: "done", state: "finished", isOld: false, batch: "100" });
  });

  it.each([
    ["absent", undefined, "absent", "not heard yet"],
    ["connected", "holding", "held", "holding"],
    ["connected", "waiting", "idle", "waiting"],
    ["connected", "finished", "done", "finished"],
    // Of a newer worker than this page.
    ["connected", "dreaming", "idle", "dreaming"],
  ] as const)("for %s %s is %s: %s", (contact, state, tone, word) => {
    const view = { ...worker("layer2"), contact, state } as unknown as WorkerView;
    expect(conditionOf(view)).toEqual({ tone, state: word });
  });

  it("says its shape, and that the last one is the head", () => {
    const shape = { inputs: 784, outputs: 256, what: "batch norm, relu", parameters: 201_472 };
    expect(room({ shape }, [], true)).toMatchObject({
      title: "layer 2 · head",
      shape: ["784 → 256", "batch norm, relu, 201 k parameters"],
    });
  });

  it("says from which batch this life began, not an older one", () => {
    const events = [
      event("layer2", "restored", 1, { incarnation: 2, batch: 799 }),
      event("layer1", "restored", 2, { incarnation: 3, batch: 5 }),
    ];
    const life = (incarnation: number) =>
      room({ incarnation }, events).figures.find(({ name }) => name === "life")?.value;
    expect(life(2)).toBe("2, from batch 799");
    expect(life(3)).toBe("3");
  });

  it("has a generator's figures, or the head's loss, never both", () => {
    const names = (isHead: boolean) =>
      room({ loss: 1, cosine: 1 }, [], isHead).figures.map(({ name }) => name);
    expect(names(false)).toEqual(["guess error", "cosine", "life"]);
    expect(names(true)).toEqual(["loss", "life"]);
  });

  it("shows what does not work, and what was not told", () => {
    const troubled = room({ alarm: "cannot save", dropped: 3 });
    expect(troubled.alarm).toBe("cannot save");
    expect(troubled.figures).toContainEqual(expect.objectContaining({ name: "not told", value: "3" }));
  });
});
