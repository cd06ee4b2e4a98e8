import { describe, expect, it } from "vitest";
import { beginSupervision, supervise } from "../../../services/train/supervise.ts";
import type { Effect, Ending, Supervision, SupervisionEvent } from "../../../services/train/supervision.ts";

/** A supervision fed with events, and all it asked for. */
class Story {
  readonly effects: Effect[] = [];
  #state: Supervision;
  #atMs = 0;

  constructor(...names: string[]) {
    const [state, effects] = beginSupervision(names, 0);
    this.#state = state;
    this.effects.push(...effects);
  }

  after(ms: number): this {
    this.#atMs += ms;
    return this;
  }

  /** What this event alone asked for. */
  on(event: SupervisionEvent): Effect[] {
    const [state, effects] = supervise(this.#state, event);
    this.#state = state;
    this.effects.push(...effects);
    return [...effects];
  }

  exits(worker: string, ending: Ending | number, chance = 1): Effect[] {
    const as = typeof ending === "number" ? { code: ending } : ending;
    return this.on({ kind: "exited", worker, ending: as, atMs: this.#atMs, chance });
  }

  comesBack(worker: string): Effect[] {
    return this.on({ kind: "due", worker, atMs: this.#atMs });
  }

  tells(worker: string, batch: number): Effect[] {
    return this.on({ kind: "progressed", worker, batch });
  }

  interrupted(): Effect[] {
    return this.on({ kind: "interrupted", signal: "SIGINT", atMs: this.#atMs });
  }

  get now(): number {
    return this.#atMs;
  }

  get restarts(): number {
    return this.#state.workers.a!.restarts;
  }
}

const KILLED = { signal: "SIGKILL" };

function delayOf(effects: readonly Effect[]): number | undefined {
  return effects.find((effect) => effect.do === "restart later")?.afterMs;
}

/** Also while others still have to leave. */
function endsRun(effects: readonly Effect[]): boolean {
  return effects.some((effect) => effect.do === "end" || effect.do === "expire later");
}

function endOf(effects: readonly Effect[]): unknown {
  return effects.find((effect) => effect.do === "end")?.outcome;
}

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
