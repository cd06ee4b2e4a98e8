import { expect, it } from "vitest";
import { LogAllowance } from "../../../services/worker/log-allowance.ts";

function fixture() {
  const said: unknown[] = [];
  const clock = { ms: 0 };
  const allowance = new LogAllowance(() => clock.ms);
  const happen = () => {
    const line = allowance.take();
    if (line) said.push(line);
  };
  return { said, clock, happen };
}

it("gives each of a few its line", () => {
  const { said, happen } = fixture();
  for (let times = 0; times < 10; times++) happen();
  expect(said).toEqual(Array.from({ length: 10 }, () => ({})));
});

it("gives a flood one line a second, which says how many got none", () => {
  const { said, clock, happen } = fixture();
  for (clock.ms = 0; clock.ms < 10_000; clock.ms++) happen();
  expect(said).toHaveLength(10 + 9);
  expect(said.at(-1)).toEqual({ unsaid: 999 });
});

it("is generous again after a quiet time", () => {
  const { said, clock, happen } = fixture();
  for (let times = 0; times < 100; times++) happen();
  clock.ms = 3600_000;
  for (let times = 0; times < 100; times++) happen();
  expect(said).toHaveLength(20);
  expect(said[10]).toEqual({ unsaid: 90 });
});
