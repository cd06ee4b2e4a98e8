import { describe, expect, it } from "vitest";
import { delayOf, endOf, endsRun, KILLED, Story } from "./story.ts";

describe("a worker that dies", () => {
  it("comes back at once the first time", () => {
    const story = new Story("a", "b");
    expect(delayOf(story.after(10).exits("a", KILLED))).toBe(0);
    expect(story.comesBack("a")).toEqual([{ do: "start", worker: "a" }]);
    expect(story.restarts).toBe(1);
  });

  it("waits longer each time it dies at once, up to two seconds", () => {
    const story = new Story("a");
    const delays = Array.from({ length: 9 }, () => {
      const delay = delayOf(story.after(100).exits("a", 1));
      story.comesBack("a");
      return delay;
    });
    expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  it("jitters half of the wait", () => {
    const delays = [0, 0.5].map((chance) => {
      const story = new Story("a");
      story.exits("a", 1);
      story.comesBack("a");
      return delayOf(story.exits("a", 1, chance));
    });
    expect(delays).toEqual([50, 75]);
  });

  it("comes back at once after a life of some seconds", () => {
    const story = new Story("a");
    story.exits("a", 1);
    story.comesBack("a");
    expect(delayOf(story.after(6000).exits("a", 1))).toBe(0);
  });

  it("comes back at once after a life that got further", () => {
    const story = new Story("a");
    story.exits("a", 1);
    story.comesBack("a");
    story.on({ kind: "progressed", worker: "a", batch: 7 });
    expect(delayOf(story.exits("a", 1))).toBe(0);
  });

  it("comes back at once after a life that learnt something, be it over again", () => {
    const delays = (batches: readonly number[]) => {
      const story = new Story("a");
      story.on({ kind: "progressed", worker: "a", batch: 900 });
      return Array.from({ length: 4 }, () => {
        for (const batch of batches) story.on({ kind: "progressed", worker: "a", batch });
        const delay = delayOf(story.after(1000).exits("a", KILLED));
        story.comesBack("a");
        return delay;
      });
    };
    expect(delays([800, 810])).toEqual([0, 0, 0, 0]);
    // Where it began is nothing it has learnt.
    expect(delays([800, 800])).toEqual([0, 100, 200, 400]);
  });

  it("is given up after twenty deaths without getting any further", () => {
    const story = new Story("a");
    for (let death = 0; death < 20; death++) {
      expect(endOf(story.after(60_000).exits("a", KILLED))).toBeUndefined();
      story.comesBack("a");
    }
    expect(endOf(story.exits("a", KILLED))).toEqual({ kind: "failed", worker: "a", code: 70, deaths: 21 });
  });

  it("is not given up as long as it gets further; going over old ground is not that", () => {
    const lives = (batchOf: (life: number) => number) => {
      const story = new Story("a");
      for (let life = 0; life < 100; life++) {
        story.on({ kind: "progressed", worker: "a", batch: batchOf(life) });
        if (endOf(story.exits("a", KILLED))) return life;
        story.comesBack("a");
      }
      return "all";
    };
    expect(lives((life) => life)).toBe("all");
    expect(lives(() => 5)).toBe(20);
  });

  it("is forgiven nothing by the progress of another", () => {
    const story = new Story("a", "b");
    for (let death = 0; death < 20; death++) {
      story.on({ kind: "progressed", worker: "b", batch: death });
      story.exits("a", KILLED);
      story.comesBack("a");
    }
    expect(story.exits("a", KILLED)).toContainEqual({ do: "ask to stop", worker: "b" });
  });

  it("is not given up for deaths while a neighbour that has lived is away, or is only starting", () => {
    const lives = (meanwhile: (story: Story) => void) => {
      const story = new Story("a", "b");
      story.tells("b", 7);
      meanwhile(story);
      for (let life = 0; ; life++) {
        if (endsRun(story.exits("a", KILLED))) return life;
        story.comesBack("a");
      }
    };
    const isAway = (story: Story) => story.exits("b", KILLED);
    expect(lives(() => undefined)).toBe(20);
    expect(lives(isAway)).toBe(200);
    expect(lives((story) => [isAway(story), story.comesBack("b")])).toBe(200);
    expect(lives((story) => [isAway(story), story.comesBack("b"), story.tells("b", 3)])).toBe(20);
  });

  it("is not given up while its lives begin further on, though what it had once is lost", () => {
    const lives = (batchOf: (life: number) => number) => {
      const story = new Story("a");
      for (const batch of [-1, 5000]) story.tells("a", batch);
      for (let life = 0; life < 49; life++) {
        if (endsRun(story.exits("a", KILLED))) return life;
        story.comesBack("a");
        for (const batch of [0, 90]) story.tells("a", batchOf(life) + batch);
      }
      return "all";
    };
    expect(lives((life) => 100 * life)).toBe("all");
    // It falls back twice, and stays there.
    expect(lives((life) => (life < 10 ? 2000 : 1000))).toBe(31);
  });

  it("comes back though it could not start, if it could before: a disk may be full for a while", () => {
    const story = new Story("a", "b");
    story.tells("a", -1);
    expect(delayOf(story.exits("a", KILLED))).toBe(0);
    story.comesBack("a");
    expect(delayOf(story.after(300).exits("a", 78))).toBe(100);
    story.comesBack("a");
    expect(delayOf(story.after(300).exits("a", 78))).toBe(200);
    for (let death = 4; death <= 20; death++) {
      story.comesBack("a");
      expect(endsRun(story.exits("a", 78))).toBe(false);
    }
    story.comesBack("a");
    expect(endsRun(story.exits("a", 78))).toBe(true);
  });

  it("is killed where it tells nothing of itself for two minutes", () => {
    const story = new Story("a", "b");
    const look = (worker: string) => story.on({ kind: "looked", worker, atMs: story.now });
    story.tells("b", -1);
    story.after(121_000);
    expect(look("b")).toEqual([]);
    expect(look("a")).toEqual([
      { do: "note", note: { kind: "never began", worker: "a", afterMs: 120_000 } },
      { do: "kill", worker: "a" },
    ]);
    expect(delayOf(story.exits("a", KILLED))).toBe(0);
    story.comesBack("a");
    // A look after the life before.
    expect(look("a")).toEqual([]);
  });

  it("comes back at once when it was told to start again, however often: that is no death", () => {
    const story = new Story("a");
    for (let n = 0; n < 50; n++) {
      expect(delayOf(story.exits("a", 75))).toBe(0);
      expect(story.comesBack("a")).toEqual([{ do: "start", worker: "a" }]);
    }
    expect(story.restarts).toBe(50);
    expect(delayOf(story.exits("a", 1))).toBe(0);
  });

  it("comes back also when it left with code 0, since the run is not over", () => {
    const story = new Story("a", "b");
    expect(delayOf(story.exits("a", 0))).toBe(1000);
    expect(story.comesBack("a")).toEqual([{ do: "start", worker: "a" }]);
  });
});
