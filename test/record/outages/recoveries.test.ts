import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { EventLine } from "../../../shared/record/lines.ts";
import { Recoveries } from "../../../shared/record/outages/recoveries.ts";
import { deathWords, type Recovery } from "../../../shared/record/outages/recovery.ts";
import { event } from "../../services/page/lines.ts";

function recoveryFrom(set: readonly string[], ...events: EventLine[]): Recovery {
  const recoveries = new Recoveries(loadConfig("configs/mnist.yaml", set).config);
  for (const each of events) recoveries.add(each);
  return recoveries.of("layer2");
}

const recovery = (...events: EventLine[]) => recoveryFrom([], ...events);
const life = (name: EventLine["name"], incarnation: number, text: string = name) =>
  event("layer2", name, 100 * incarnation, { incarnation, text });

describe("the deaths of a worker", () => {
  it("are the lives that another followed, whether or not anybody saw them go", () => {
    const died = event("train", "died", 150, { incarnation: 0, about: "layer2" });
    expect(recovery(life("began", 1), died, life("restored", 2), life("restored", 3))).toEqual({ deaths: 2 });
  });

  it("are also those of lives that ended before they could say anything", () => {
    expect(recovery(life("began", 1), life("restored", 4))).toEqual({ deaths: 3 });
  });

  it.each(["stopped", "rewound", "fenced", "finished"] as const)("are none where a life %s", (name) => {
    const pinned = ["delivery.schedule={staleness: 1}"];
    const found = recoveryFrom(pinned, life("began", 1), life(name, 1), life("restored", 2));
    expect(found).toEqual({ deaths: 0 });
    const died = recoveryFrom(pinned, life("began", 1), life("restored", 2), life(name, 1));
    expect(died, "an older life").toEqual({ deaths: 1 });
  });

  it("are also those before anybody listened: of a source that died before there was a hub", () => {
    expect(recovery(life("restored", 2))).toEqual({ deaths: 1 });
  });

  it("are not counted twice where a line comes twice", () => {
    expect(recovery(life("began", 1), life("restored", 2), life("restored", 2))).toEqual({ deaths: 1 });
  });
});

describe("a recovery", () => {
  it("is exact unless something says otherwise", () => {
    expect(recovery(life("began", 1), life("restored", 2))).not.toHaveProperty("inexact");
  });

  it("is not where the layer says so, with the reason", () => {
    const why = "no checkpoint is old enough to repeat batch 19";
    const { inexact } = recovery(life("began", 1), life("restored", 2), life("inexact", 2, why));
    expect(inexact).toEqual({ count: 1, why });
  });

  it("is not where the rates were halved", () => {
    const { deaths, inexact } = recovery(life("began", 1), life("poisoned", 1), life("restored", 2));
    expect(deaths).toBe(0);
    expect(inexact).toEqual({ count: 1, why: "its numbers ran away, and it learnt on at half the rate" });
  });

  it("may not be in a free run where two lives were there at once; a pinned one has no order to share", () => {
    const lives = [life("began", 1), life("restored", 2), life("fenced", 1)];
    expect(recovery(...lives).inexact).toMatchObject({ count: 1 });
    expect(recoveryFrom(["delivery.schedule={staleness: 1}"], ...lives)).not.toHaveProperty("inexact");
    expect(recoveryFrom(["layers.1.method=backprop"], ...lives), "no order either").not.toHaveProperty(
      "inexact",
    );
  });

  it("never is for sure where layers of a free run guess their inputs; without a death there is nothing to doubt", () => {
    const guessing = ["learning.inputGenerator={rate: 0.001, hidden: []}"];
    const { inexact } = recoveryFrom(guessing, life("began", 1), life("restored", 2));
    expect(inexact).toEqual({ count: 1, why: "layers of a free run guess their inputs" });
    expect(recoveryFrom(guessing, life("began", 1))).toEqual({ deaths: 0 });
  });
});

describe("what is said of all deaths of a run", () => {
  const source = { name: "source", deaths: 0 } as const;

  it("is one phrase", () => {
    expect(deathWords([source])).toBeUndefined();
    expect(deathWords([source, { name: "layer1", deaths: 1 }])).toBe("1 death, no trace");
    expect(
      deathWords([
        { name: "source", deaths: 9 },
        { name: "layer1", deaths: 8 },
      ]),
    ).toBe("17 deaths, no trace");
  });

  it("says how many recoveries were not exact, and why the last of them was not", () => {
    const inexact = { count: 2, why: "of this" };
    expect(deathWords([source, { name: "layer1", deaths: 3, inexact }])).toBe(
      "3 deaths; 2 recoveries may have left a trace (layer1: of this)",
    );
    const poisoned = { name: "layer1", deaths: 0, inexact: { ...inexact, count: 1 } } as const;
    expect(deathWords([source, poisoned])).toBe(
      "no deaths; 1 recovery may have left a trace (layer1: of this)",
    );
  });
});
