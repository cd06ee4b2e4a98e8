import { expect, it } from "vitest";
import { breakagesOf } from "../../../../services/page/chain/breakages.ts";
import { outagesOf } from "../../../../shared/record/outages/outages.ts";
import { standing } from "../../../../shared/record/standing.ts";
import { event, worker } from "../lines.ts";

it("a room at work can be killed, paused, and its link onward delayed; the head has none", () => {
  expect(breakagesOf(worker("layer2"), true, [])).toEqual(["kill", "pause", "delay"]);
  expect(breakagesOf(worker("layer3"), false, [])).toEqual(["kill", "pause"]);
});

it("what was done to it can be undone, and what was done to another changes nothing", () => {
  const events = [event("layer2", "delayed", 1_000)];
  const outages = outagesOf(events, standing([]));
  expect(breakagesOf(worker("layer2", { state: "paused" }), true, outages)).toEqual([
    "kill",
    "resume",
    "undelay",
  ]);
  expect(breakagesOf(worker("layer1"), true, outages)).toEqual(["kill", "pause", "delay"]);
  const over = outagesOf([...events, event("layer2", "undelayed", 2_000)], standing([]));
  expect(breakagesOf(worker("layer2"), true, over)).toContain("delay");
});

it("one that was stopped can be started, one that is dead or finished not be touched", () => {
  expect(breakagesOf(worker("layer2", { contact: "gone", why: "stopped" }), true, [])).toEqual(["start"]);
  expect(breakagesOf(worker("layer2", { contact: "gone", why: "finished" }), true, [])).toEqual([]);
  expect(breakagesOf(worker("layer2", { contact: "dead" }), true, [])).toEqual([]);
});
