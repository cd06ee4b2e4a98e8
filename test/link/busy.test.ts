import { describe, expect, it } from "vitest";
import { Busy, busyMsIn, busyWord } from "../../shared/link/busy.ts";

/** A process that is looked at again `wallMs` later, having computed for `cpuMs` of them. */
function scene() {
  const is = { at: 0, cpuMs: 0 };
  const busy = new Busy(
    () => is.at,
    () => is.cpuMs,
  );
  let look = busy.look();
  const pass = (wallMs: number, cpuMs: number) => {
    is.at += wallMs;
    is.cpuMs += cpuMs;
    look = busy.lookAgain(look);
  };
  return { busy, pass };
}

describe("a process that computes at a stretch", () => {
  it("knows for how long", () => {
    const { busy, pass } = scene();
    pass(3000, 2900);
    pass(800, 10);
    expect(busy.ms).toBe(3000);
    expect(busyWord(busy, 800)).toBe("busy 3000");
  });

  it("knows it too where others had most of the processor", () => {
    const { busy, pass } = scene();
    pass(3000, 500);
    expect(busy.ms).toBe(3000);
  });

  it("does not take for computing that it was stopped", () => {
    const { busy, pass } = scene();
    pass(30_000, 5);
    expect(busyWord(busy, 800)).toBe("");
  });

  it("forgets it after minutes without", () => {
    const { busy, pass } = scene();
    pass(3000, 2900);
    pass(299_000, 0);
    expect(busy.ms).toBe(3000);
    pass(2000, 0);
    expect(busy.ms).toBeLessThan(100);
  });
});

describe("what a ping says", () => {
  it("is nothing where its sender answers in time", () => {
    expect(busyWord(undefined, 800)).toBe("");
    const { busy, pass } = scene();
    pass(1500, 1500);
    expect(busyWord(busy, 800)).toBe("");
  });

  it.each([
    ["busy 3000", 3000],
    ["busy 0", 0],
    ["busy 999999999", 60_000],
    ["busy 9999999999", 0],
    ["busy -1", 0],
    ["busy 3000 ", 0],
    ["", 0],
    ["\u0000\u00ff", 0],
  ])("%j is heard as %i ms", (word, ms) => {
    expect(busyMsIn(Buffer.from(word, "latin1"))).toBe(ms);
  });
});
