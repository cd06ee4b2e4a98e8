import { expect, it } from "vitest";
import { TurnedAway } from "../../../services/layer/turned-away.ts";

function fixture() {
  const said: unknown[] = [];
  const clock = { ms: 0 };
  const turnedAway = new TurnedAway(
    (why) => said.push(why),
    () => clock.ms,
  );
  return { said, clock, add: () => turnedAway.add({ code: 4401, reason: "no proof" }) };
}

it("says each of a few who were turned away", () => {
  const { said, add } = fixture();
  for (let times = 0; times < 10; times++) add();
  expect(said).toEqual(Array.from({ length: 10 }, () => ({ code: 4401, reason: "no proof" })));
});

it("says one a second of a flood, and how many went unsaid", () => {
  const { said, clock, add } = fixture();
  for (clock.ms = 0; clock.ms < 10_000; clock.ms++) add();
  expect(said).toHaveLength(10 + 9);
  expect(said.at(-1)).toEqual({ code: 4401, reason: "no proof", unsaid: 999 });
});

it("is patient again after a quiet time", () => {
  const { said, clock, add } = fixture();
  for (let times = 0; times < 100; times++) add();
  clock.ms = 3600_000;
  for (let times = 0; times < 100; times++) add();
  expect(said).toHaveLength(20);
  expect(said[10]).toMatchObject({ unsaid: 90 });
});
