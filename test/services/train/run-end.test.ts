import { describe, expect, it } from "vitest";
import type { Ending } from "../../../services/train/supervision.ts";
import { delayOf, endOf, KILLED, Story } from "./story.ts";

describe("the end", () => {
  it("comes when the source said so and every worker has left", () => {
    const story = new Story("a", "b");
    story.on({ kind: "finished" });
    expect(endOf(story.exits("a", 0))).toBeUndefined();
    expect(endOf(story.exits("b", 0))).toEqual({ kind: "finished" });
  });

  it("does not call back a worker that left a moment before the source's word", () => {
    const story = new Story("a", "b");
    story.exits("b", 0);
    story.on({ kind: "finished" });
    expect(story.comesBack("b")).toEqual([]);
    expect(endOf(story.exits("a", 0))).toEqual({ kind: "finished" });
  });

  it("does not wait for ever for workers that stay", () => {
    const story = new Story("a", "b");
    expect(story.on({ kind: "finished" })).toEqual([{ do: "expire later", afterMs: 10_000 }]);
    story.exits("a", 0);
    expect(story.on({ kind: "expired" })).toContainEqual({ do: "kill", worker: "b" });
    expect(endOf(story.exits("b", KILLED))).toEqual({ kind: "finished" });
  });

  it("is the same when a worker dies on its way out, which is told", () => {
    const story = new Story("a");
    story.on({ kind: "finished" });
    const effects = story.exits("a", 1);
    expect(effects[0]).toMatchObject({ do: "note", note: { kind: "ended badly" } });
    expect(endOf(effects)).toEqual({ kind: "finished" });
  });
});

describe("one worker that is asked to stop", () => {
  const ask = (story: Story, wish: "stop" | "start", worker = "a") =>
    story.on({ kind: "asked", worker, wish, atMs: 0 });
  const stopped = () => {
    const story = new Story("a", "b");
    expect(ask(story, "stop")).toEqual([{ do: "ask to stop", worker: "a" }]);
    return story;
  };

  it.each<[string, Ending]>([
    ["has left", { code: 0 }],
    ["was killed on its way out", KILLED],
    ["could not save", { code: 1 }],
  ])("stays away when it %s, until it is asked to start", (_, ending) => {
    const story = stopped();
    const note = { kind: "stopped", worker: "a", ending };
    expect(story.exits("a", ending)).toEqual([{ do: "note", note }]);
    expect(story.comesBack("a")).toEqual([]);
    expect(ask(story, "stop")).toEqual([]);
    expect(ask(story, "start")).toEqual([{ do: "start", worker: "a" }]);
    expect(delayOf(story.exits("a", KILLED))).toBe(0);
  });

  it("does not come back either where it was about to", () => {
    const story = new Story("a", "b");
    story.exits("a", KILLED);
    expect(ask(story, "stop")).toEqual([]);
    expect(story.comesBack("a")).toEqual([]);
    expect(ask(story, "start")).toEqual([{ do: "start", worker: "a" }]);
  });

  it("comes back when it was asked to start before it had left", () => {
    const story = stopped();
    expect(ask(story, "start")).toEqual([]);
    expect(delayOf(story.exits("a", 0))).toBe(1000);
    expect(story.comesBack("a")).toEqual([{ do: "start", worker: "a" }]);
  });

  it("is not waited for at the end of the run", () => {
    const story = stopped();
    story.exits("a", 0);
    story.interrupted();
    expect(ask(story, "start")).toEqual([]);
    expect(endOf(story.exits("b", 0))).toEqual({ kind: "stopped", signal: "SIGINT" });
  });

  it("is nobody where there is no such worker, and one that runs is not started twice", () => {
    const story = new Story("a");
    expect(ask(story, "stop", "layer9")).toEqual([]);
    expect(ask(story, "start")).toEqual([]);
  });
});

describe("a stop", () => {
  it("asks all, kills after two seconds who is left, and ends when all are gone", () => {
    const story = new Story("a", "b");
    expect(story.interrupted()).toEqual([
      { do: "ask to stop", worker: "a" },
      { do: "ask to stop", worker: "b" },
      { do: "expire later", afterMs: 2000 },
    ]);
    story.exits("a", 0);
    expect(story.on({ kind: "expired" }).filter((effect) => effect.do === "kill")).toEqual([
      { do: "kill", worker: "b" },
    ]);
    expect(endOf(story.exits("b", KILLED))).toEqual({ kind: "stopped", signal: "SIGINT" });
  });

  it("asked for twice kills at once", () => {
    const story = new Story("a");
    story.interrupted();
    expect(story.after(1000).interrupted()).toEqual([{ do: "kill", worker: "a" }]);
  });

  it("asked for twice in the same instant is one", () => {
    const story = new Story("a");
    story.interrupted();
    expect(story.after(5).interrupted()).toEqual([]);
  });

  it("starts nobody again, whether it waited or dies now", () => {
    const story = new Story("a", "b");
    story.exits("a", 1);
    story.interrupted();
    expect(story.comesBack("a")).toEqual([]);
    expect(story.exits("b", KILLED)).toEqual([{ do: "end", outcome: { kind: "stopped", signal: "SIGINT" } }]);
  });

  it.each([78, 70])("follows a worker that ended with %i, whose code is that of the whole", (code) => {
    const story = new Story("a", "b");
    expect(story.exits("a", code)).toContainEqual({ do: "ask to stop", worker: "b" });
    // What fails while all is being stopped is no reason.
    expect(endOf(story.exits("b", 70))).toEqual({ kind: "failed", worker: "a", code });
  });
});
