import { expect, it } from "vitest";
import { Timers } from "../../../services/worker/timers.ts";

/** A world in which nothing comes by itself: what is waited for runs when told to, unless it was called off. */
function scene() {
  const waiting = new Set<() => void>();
  const wait = (_: number, run: () => void) => {
    waiting.add(run);
    return () => void waiting.delete(run);
  };
  const pass = () => {
    for (const run of waiting) run();
  };
  return { timers: new Timers({ after: wait, every: wait }), pass };
}

it("end with the life, all of them", () => {
  const { timers, pass } = scene();
  const ran: string[] = [];
  timers.after(1, () => ran.push("once"));
  timers.every(1, () => ran.push("again"));
  pass();
  expect(ran).toEqual(["once", "again"]);
  timers.end();
  pass();
  expect(ran).toHaveLength(2);
});

it("say once that they end: whoever ends a life a second time has nothing to do", () => {
  const { timers } = scene();
  expect([timers.end(), timers.end()]).toEqual([true, false]);
});

it("take nothing more once they have ended", () => {
  const { timers, pass } = scene();
  const ran: string[] = [];
  timers.end();
  timers.after(1, () => ran.push("too late"));
  timers.every(1, () => ran.push("too late"));
  pass();
  expect(ran).toEqual([]);
});
