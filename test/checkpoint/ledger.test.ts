import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  apply,
  check,
  cursorOf,
  emptyLedger,
  fromRanges,
  type Range,
  toRanges,
} from "../../shared/checkpoint/ledger.ts";

function applied(...batches: number[]) {
  return batches.reduce(apply, emptyLedger);
}

test("a thousand batches in order are one range", () => {
  const ledger = applied(...Array(1000).keys());
  expect(toRanges(ledger)).toEqual([[0, 999]]);
  expect(cursorOf(ledger)).toBe(999);
  expect(check(ledger, 1000)).toEqual([]);
});

test("before the first batch it is empty", () => {
  expect(toRanges(emptyLedger)).toEqual([]);
  expect(cursorOf(emptyLedger)).toBe(-1);
  expect(check(emptyLedger, 0)).toEqual([]);
});

test("no batch is applied twice", () => {
  expect(() => apply(applied(0, 1, 2), 2)).toThrow("Cannot apply batch 2: it is already applied");
  expect(() => apply(applied(0, 1, 2), 0)).toThrow("Cannot apply batch 0: it is already applied");
});

test("no batch is left out", () => {
  expect(() => apply(applied(0, 1), 3)).toThrow("Cannot apply batch 3: the next one is 2");
  expect(() => apply(emptyLedger, 1)).toThrow("Cannot apply batch 1: the next one is 0");
  expect(() => apply(emptyLedger, -1)).toThrow("Cannot apply batch -1: the next one is 0");
  expect(() => apply(emptyLedger, Number.NaN)).toThrow("Cannot apply batch NaN: the next one is 0");
});

test("applying leaves the ledger before as it was", () => {
  const before = applied(0, 1);
  apply(before, 2);
  expect(toRanges(before)).toEqual([[0, 1]]);
});

test("goes on from what was saved", () => {
  const saved: unknown = JSON.parse(JSON.stringify(toRanges(applied(0, 1, 2))));
  expect(toRanges(apply(fromRanges(saved), 3))).toEqual([[0, 3]]);
});

test.each([[{}], [[[0]]], [[[0, 1, 2]]], [[[3, 2]]], [[[-1, 2]]], [[["0", "1"]]], [[null]]])(
  "%j is not a ledger",
  (ranges) => {
    expect(() => fromRanges(ranges)).toThrow("Cannot read ledger");
  },
);

describe("the check", () => {
  test.each<[string, Range[], string[]]>([
    [
      "a batch left out",
      [
        [0, 3],
        [5, 9],
      ],
      ["batches 4 to 4 were not applied before 5"],
    ],
    [
      "a batch applied twice",
      [
        [0, 4],
        [4, 9],
      ],
      ["batches 4 to 4 were applied again"],
    ],
    ["an end too early", [[0, 7]], ["batches 8 to 9 were never applied"]],
    ["an end too late", [[0, 10]], ["batch 10 was applied, the run has 10"]],
    ["nothing at all", [], ["batches 0 to 9 were never applied"]],
    [
      "another order",
      [
        [5, 9],
        [0, 4],
      ],
      ["batches 0 to 4 were not applied before 5", "batches 0 to 4 were applied again"],
    ],
  ])("names %s", (_, ranges, violations) => {
    expect(check(fromRanges(ranges), 10)).toEqual(violations);
  });

  test("finds nothing exactly when a list of all batches would be 0, 1, 2, …", () => {
    const range = fc.tuple(fc.nat(6), fc.nat(3)).map(([first, more]): Range => [first, first + more]);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 4 }), fc.nat(8), (ranges, batches) => {
        const list = ranges.flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        const isExact = list.length === batches && list.every((batch, index) => batch === index);
        expect(check(fromRanges(ranges), batches).length === 0).toBe(isExact);
      }),
      { numRuns: 3000 },
    );
  });
});
