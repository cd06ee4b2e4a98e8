import type { Logger } from "pino";
import { expect, it } from "vitest";
import { type Identity, introductionOf } from "../../../services/worker/identity.ts";
import { type Route, Successor } from "../../../services/worker/successor.ts";
import type { DialOptions } from "../../../shared/link/dial.ts";
import type { Link } from "../../../shared/link/link.ts";
import { CloseCode, type WelcomeFrame } from "../../../shared/wire/frames.ts";

const self: Identity = {
  layer: 1,
  run: "run",
  configHash: "hash",
  batches: 10,
  incarnation: 3,
  instance: "own",
};
const link = {} as Link;
const stranger = { code: CloseCode.mismatch, reason: "another config" };

/** Layer 2, in one of its lives. */
function welcome(incarnation: number, instance = `life ${incarnation}`): WelcomeFrame {
  return { kind: "welcome", ...introductionOf({ ...self, incarnation, instance }), from: 2, need: 0 };
}

function fixture() {
  const heard: string[] = [];
  const lines: string[] = [];
  const dialled: DialOptions[] = [];
  const clock = { ms: 0 };
  const say = (_: unknown, line: string) => lines.push(line);
  const route: Route = {
    ...{ url: "ws://layer2:1", called: "successor", maxFrameBytes: 100, random: () => 0 },
    ...{ link: { handshakeMs: 1, heartbeatMs: 1, backoffMs: { first: 1, most: 1 } }, traffic: undefined },
    ...{ width: 4, dtype: "f32" as const, now: () => clock.ms },
    dial: (options: DialOptions) => {
      dialled.push(options);
      return { close: async () => undefined };
    },
  };
  const successor = new Successor(self, route, { info: say, error: say } as unknown as Logger, {
    beforeHello: async () => {},
    up: () => heard.push("up"),
    heard: () => heard.push("frame"),
    down: () => heard.push("down"),
    fenced: () => heard.push("fenced"),
    hopeless: () => heard.push("hopeless"),
  });
  return { successor, heard, lines, clock, options: dialled[0]! };
}

it("introduces this life to the layer after it", () => {
  const { options } = fixture();
  const own = { run: "run", configHash: "hash", incarnation: 3, instance: "own" };
  expect(options.hello()).toMatchObject({ kind: "hello", from: 1, to: 2, width: 4, dtype: "f32", ...own });
});

it("refuses an older life than it has met, and no newer one", () => {
  const { successor, options } = fixture();
  expect(successor.hasMet).toBe(false);
  expect(options.check(welcome(4))).toBeUndefined();
  options.onUp(link, welcome(5));
  expect(successor.hasMet).toBe(true);
  expect(options.check(welcome(4))).toMatchObject({ code: CloseCode.fenced });
  expect(options.check(welcome(5, "a second one"))).toMatchObject({ code: CloseCode.fenced });
  expect(options.check(welcome(5))).toBeUndefined();
  expect(options.check(welcome(6))).toBeUndefined();
});

it("is hopeless when it refuses three times in a row", () => {
  const { heard, lines, options } = fixture();
  for (let times = 0; times < 3; times++) options.onRefused!(stranger);
  expect(heard).toEqual(["hopeless"]);
  expect(lines).toEqual(["refused by successor", "refused by successor", "refused by successor"]);
});

it("is not, where it was linked in between", () => {
  const { heard, options } = fixture();
  for (let times = 0; times < 2; times++) options.onRefused!(stranger);
  options.onUp(link, welcome(1));
  for (let times = 0; times < 2; times++) options.onRefused!(stranger);
  expect(heard).toEqual(["up"]);
});

it("tells at once of a newer life of its own", () => {
  const { heard, options } = fixture();
  options.onRefused!({ code: CloseCode.fenced, reason: "already met 4" });
  expect(heard).toEqual(["fenced"]);
});

it("tells of a link that was up that it is down, and not of an attempt that failed", () => {
  const { heard, options } = fixture();
  options.onDown(undefined, { code: 1006, reason: "ENOTFOUND" });
  expect(heard).toEqual([]);
  options.onDown(link, { code: 1006, reason: "reset" });
  expect(heard).toEqual(["down"]);
});

it("fills no log where each link is lost at once and the next dial is the first again", () => {
  const { lines, clock, options } = fixture();
  for (; clock.ms < 10_000; clock.ms += 10) options.onWaiting!(1, 5, { code: 4422, reason: "not finite" });
  expect(lines.length).toBeLessThan(25);
});
