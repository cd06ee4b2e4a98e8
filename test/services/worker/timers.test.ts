import { expect, it } from "vitest";
import { Timers } from "../../../services/worker/timers.ts";

/** A world in which nothing comes by itself: what is waited for runs when told to, unless it was called off. */
function scene() {
  const waiting = new Set<() => void>();
  const every = (_: number, run: () => void) => {
    waiting.add(run);
    return () => void waiting.delete(run);
  };
  const after = (ms: number, run: () => void) => {
    const end = every(ms, () => {
      end();
      run();
    });
    return end;
  };
  const pass = () => {
    for (const run of waiting) run();
  };
  return { timers: new Timers({ after, every }), pass };
}

it("end with the life, all of them", () => {
  const { timers, pass } = scene();
  const ran: string[] = [];
  timers.after(1, () => ran.push("once"));
  timers.every(1, () => ran.push("again"));
  pass();
  expect(ran).toEqual(["once", "again"]);
  timers.after(1, () => ran.push("too late"));
  timers.end();
  pass();
  expect(ran).toHaveLength(2);
});

it("say once that they end: whoever ends a life a second time has nothing to do", () => {
  const { timers } = scene();
  expect([timers.end(), timers.end()]).toEqual([true, false]);
});

it("forget what has happened: a long life keeps nothing of it", () => {
  let called = 0;
  const due: (() => void)[] = [];
  const timers = new Timers({
    after: (_, run) => {
      due.push(run);
      return () => (called += 1);
    },
    every: () => () => undefined,
  });
  for (let n = 0; n < 3; n++) timers.after(1, () => undefined);
  due.shift()!();
  due.shift()!();
  timers.end();
  expect(called).toBe(1);
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
