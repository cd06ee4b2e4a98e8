import { describe, expect, it } from "vitest";
import {
  EncodeError,
  encodeNumbers,
  encodeRow,
  encodeText,
  outputNames,
  valuesOf,
} from "../../shared/data/encode.ts";
import type { Column } from "../../shared/data/table/column.ts";

const columns: Column[] = [
  { name: "age", mean: 40, deviation: 10 },
  { name: "height", mean: 170, deviation: 5, marksMissing: true },
  { name: "color", categories: ["blue", "red"] },
  { name: "city", categories: ["Bonn", "Rome"], unknown: "zeros" },
];
const facts = { columns, inputWidth: 7 };
const row = { age: "50", height: 160, color: "red", city: " Bonn ", other: "x" };

describe("a row of a table", () => {
  it("becomes standardised numbers and an input for each category", () => {
    expect([...encodeRow(facts, row)]).toEqual([1, -2, 0, 0, 1, 1, 0]);
    expect([...encodeRow(facts, { ...row, age: 4e1, height: "1.75e2", color: "blue" })]).toEqual([
      0, 1, 0, 1, 0, 1, 0,
    ]);
  });

  it.each(["", " ", "NA", "n/a", "?", null, undefined])("lacks a value that is %j", (missing) => {
    const lacking = { age: missing, height: missing, color: missing, city: missing };
    expect([...encodeRow(facts, lacking)]).toEqual([0, 0, 1, 0, 0, 0, 0]);
  });

  it("takes a category that no training row had only where the config says so", () => {
    expect([...encodeRow(facts, { ...row, city: "Oslo" })].slice(5)).toEqual([0, 0]);
    expect(() => encodeRow(facts, { ...row, color: "teal" })).toThrow(
      new EncodeError('Cannot encode the row: color is "teal", expected one of blue, red'),
    );
  });

  it.each(["old", "NaN", Number.NaN, Number.POSITIVE_INFINITY, "1,5", "0x10", "12 cm", {}, []])(
    "is refused with the name of the column where a number is %j",
    (age) =>
      expect(() => encodeRow(facts, { ...row, age })).toThrow(
        /^Cannot encode the row: age is .*, expected a number/,
      ),
  );

  it("is refused where a column is not there at all", () => {
    const { age: _, ...rest } = row;
    expect(() => encodeRow(facts, rest)).toThrow(/it has no age/);
    // The names of what every object has are no columns.
    expect(() => encodeRow({ columns: [{ ...columns[0]!, name: "toString" }], inputWidth: 1 }, {})).toThrow(
      /it has no toString/,
    );
  });
});

it("numbers become floats, bytes of their worth, and are refused by place", () => {
  expect([...encodeNumbers({ inputWidth: 2, inputType: "f32" }, [0.5, -3])]).toEqual([0.5, -3]);
  const pixels = { inputWidth: 2, inputType: "u8", inputScale: 1 / 255 } as const;
  expect([...encodeNumbers(pixels, Uint8Array.of(255, 0))]).toEqual([1, 0]);
  expect(() => encodeNumbers(pixels, [0, 256])).toThrow(
    /number 1 is 256, expected a whole number from 0 to 255/,
  );
  expect(() => encodeNumbers(pixels, [1])).toThrow(/takes 2/);
  expect(() => encodeNumbers({ inputWidth: 1, inputType: "f32" }, [Number.NaN])).toThrow(/number 0 is NaN/);
});

it("a text becomes ids, and is refused at a character that has none", () => {
  expect([...encodeText({ characters: "abé🙂" }, "é🙂a")]).toEqual([2, 3, 0]);
  expect([...encodeText({}, "é")]).toEqual([0xc3, 0xa9]);
  expect(() => encodeText({ characters: "ab" }, "abc")).toThrow(/character 2, "c"/);
});

it("outputs have names, and values their units", () => {
  const labels = [{ name: "price", mean: 100, deviation: 20 }];
  expect(outputNames({ labels, labelWidth: 2 })).toEqual(["price", "1"]);
  expect(valuesOf({ labels }, Float32Array.of(-1.5))).toEqual([70]);
});
