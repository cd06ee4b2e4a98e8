import { expect, it } from "vitest";
import { LogThrottle } from "../../../services/worker/log-throttle.ts";

it("allows a line at once, and then one every five seconds", () => {
  const clock = { ms: 0 };
  const pace = new LogThrottle(() => clock.ms);
  const allowed: number[] = [];
  for (; clock.ms <= 12_000; clock.ms += 500) if (pace.allows()) allowed.push(clock.ms);
  expect(allowed).toEqual([0, 5000, 10_000]);
});

it("counts from the line that was said last, asked for or not", () => {
  const clock = { ms: 7000 };
  const pace = new LogThrottle(() => clock.ms, 4000);
  expect(pace.allows()).toBe(false);
  pace.said();
  clock.ms = 11_999;
  expect(pace.allows()).toBe(false);
  clock.ms = 12_000;
  expect(pace.allows()).toBe(true);
});
