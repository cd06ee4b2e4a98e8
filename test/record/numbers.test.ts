import { describe, expect, it } from "vitest";
import {
  bytes,
  count,
  day,
  duration,
  figure,
  percent,
  rate,
  short,
  stopwatch,
} from "../../shared/record/numbers.ts";

describe("a number on the page", () => {
  it.each([
    [count(12480), "12,480"],
    [short(950), "950"],
    [short(200_704), "201 k"],
    [short(66_048), "66.0 k"],
    [short(1_234_567), "1.23 M"],
    [rate(8.31), "8.3"],
    [rate(412.4), "412"],
    [bytes(0), "0 B"],
    [bytes(3_214_000), "3.21 MB"],
    [figure(0.0312), "0.031"],
    [figure(2.345), "2.35"],
    [figure(123.4), "123"],
    [figure(0), "0.00"],
    [figure(0.00002), "2.0e-5"],
    [figure(-0.5), "-0.500"],
    [percent(0.98291), "98.29 %"],
    [duration(7.4), "7 s"],
    [duration(754), "12 min 34 s"],
    [duration(3720), "1 h 02 min"],
    [stopwatch(7), "0:07"],
    [stopwatch(3723), "1:02:03"],
  ])("%s", (shown, expected) => expect(shown).toBe(expected));

  it("has no fourth digit where rounding would bring one", () => {
    expect([short(999.6), short(999_960), bytes(999_999)]).toEqual(["1.00 k", "1.00 M", "1.00 MB"]);
  });

  it("is a dash where it is not known, or not a number", () => {
    // What was NaN comes over JSON as null.
    const none = [undefined, Number.NaN, null as unknown as undefined];
    for (const format of [count, short, rate, bytes, figure, percent, duration]) {
      expect(none.map(format)).toEqual(["–", "–", "–"]);
    }
    expect(day("not a day")).toBe("–");
  });
});
