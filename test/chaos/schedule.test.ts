import { expect, it } from "vitest";
import { withTable } from "./record.ts";
import { massacres, schedule } from "./schedule.ts";

const names = ["source", "layer1", "layer2", "layer3"];
const kinds = ["kill", "stop", "partition", "flap", "reset", "slice", "delay", "corrupt"] as const;

it("the same seed has the same schedule, another has another", () => {
  const options = { strikes: 100, kinds, everyMs: [200, 2000] } as const;
  expect(schedule(1, names, options)).toEqual(schedule(1, names, options));
  expect(schedule(1, names, options)).not.toEqual(schedule(2, names, options));
  expect(massacres(1, names, 5)).toEqual(massacres(1, names, 5));
});

it("a schedule has every kind, in time, and nothing that is not there", () => {
  const strikes = schedule(3, names, { strikes: 300, kinds, everyMs: [200, 2000] });
  expect(new Set(strikes.map(({ fault }) => fault.do))).toEqual(new Set(kinds));
  for (const { afterMs, fault } of strikes) {
    expect(afterMs).toBeGreaterThanOrEqual(200);
    expect(afterMs).toBeLessThanOrEqual(2000);
    if ("link" in fault) expect([0, 1, 2]).toContain(fault.link);
    if ("who" in fault) for (const who of [fault.who].flat()) expect(names).toContain(who);
  }
});

it("several die together: the source and two to four layers, nobody twice", () => {
  const deep = [...names, "layer4", "layer5"];
  const groups = massacres(1, deep, 200).map(({ fault }) => (fault.do === "kill" ? fault.who : []));
  for (const who of groups) {
    expect(who[0]).toBe("source");
    expect(new Set(who).size).toBe(who.length);
  }
  expect(new Set(groups.map(({ length }) => length))).toEqual(new Set([3, 4, 5]));
});

it("the table goes between the markers, and nowhere else", () => {
  const page = "before\n<!-- chaos: begin -->\nold\n<!-- chaos: end -->\nafter\n";
  const finding = { claim: "c|d", bar: "0", measured: "1", met: false };
  const all = [{ name: "n", size: "long", date: "2000-01-01", findings: [finding] }] as const;
  const written = withTable(page, all);
  expect(written).toMatch(/^before\n<!-- chaos: begin -->\n\n\| scenario/);
  expect(written).toContain("| n | c\\|d | 1 | 0 | **no** | long, 2000-01-01 |");
  expect(written).not.toContain("old");
  expect(withTable(written, all)).toBe(written);
  expect(() => withTable("nothing", all)).toThrow("Cannot write the table");
});
