import { expect, it } from "vitest";
import { Pacer } from "../../../services/page/pacer.ts";

/** A page whose draws take as long as is said, with a clock that stands still between what happens. */
function page(drawMs: () => number) {
  let now = 0;
  let isShown = () => {};
  const waiting: { at: number; what: () => void }[] = [];
  const drawn: number[] = [];
  const around = {
    now: () => now,
    after: (ms: number, what: () => void) => void waiting.push({ at: now + ms, what }),
    whenShown: (what: () => void) => {
      isShown = what;
    },
  };
  const draw = () => void drawn.push(now);
  const pacer = new Pacer(draw, around);
  return {
    pacer,
    drawn,
    show: () => {
      now += drawMs();
      isShown();
    },
    until: (time: number) => {
      for (const { at, what } of waiting.splice(0).sort((a, b) => a.at - b.at)) {
        if (at > time) waiting.push({ at, what });
        else {
          now = Math.max(now, at);
          what();
        }
      }
      now = time;
    },
  };
}

it("draws at once what it is asked for first, and all that comes while it is busy in one draw more, after a rest", () => {
  const { pacer, drawn, show, until } = page(() => 10);
  for (let time = 0; time < 5; time++) pacer.ask();
  expect(drawn).toEqual([0]);
  show();
  pacer.ask();
  until(49);
  expect(drawn).toEqual([0]);
  until(50);
  expect(drawn).toEqual([0, 50]);
  show();
  until(1000);
  // Nobody asked any more.
  expect(drawn).toEqual([0, 50]);
  pacer.ask();
  expect(drawn).toEqual([0, 50, 1000]);
});

it("rests four times as long as a slow machine draws, but never longer than five seconds", () => {
  const { pacer, drawn, show, until } = page(() => (drawn.length === 1 ? 800 : 3_600_000));
  pacer.ask();
  pacer.ask();
  show();
  until(3999);
  expect(drawn).toEqual([0]);
  until(4000);
  pacer.ask();
  show();
  until(3_609_000);
  expect(drawn).toEqual([0, 4000, 3_609_000]);
});

it("draws nothing more before its last picture is shown", () => {
  const { pacer, drawn, until } = page(() => 10);
  for (let time = 0; time < 100; time++) {
    pacer.ask();
    until(time * 1000);
  }
  expect(drawn).toEqual([0]);
});
