import { expect, test } from "vitest";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { hello } from "../support/frames.ts";

const expected = { run: hello.run, configHash: hello.configHash, neighbour: hello.from, newest: undefined };
const { incarnation, instance } = hello;

test("the neighbour expected is let in", () => {
  expect(refuseStranger(expected, hello)).toBeUndefined();
});

test.each([
  [{ protocol: 2 }, CloseCode.wrongVersion, "protocol is 2, expected 1"],
  [{ run: "two-rings-8" }, CloseCode.wrongRun, "run is two-rings-8, expected two-rings-7"],
  [{ from: 3 }, CloseCode.mismatch, "layer is 3, expected 1"],
  [{ configHash: "cd".repeat(32) }, CloseCode.mismatch, "config is cdcdcdcdcdcd, expected abababababab"],
])("a stranger by %o is told both values", (change, code, reason) => {
  expect(refuseStranger(expected, { ...hello, ...change })).toEqual({ code, reason });
});

test("the same life may come again, and a newer one", () => {
  const met = { ...expected, newest: { incarnation, instance } };
  expect(refuseStranger(met, hello)).toBeUndefined();
  expect(refuseStranger(met, { ...hello, incarnation: incarnation + 1, instance: "new" })).toBeUndefined();
});

test.each([
  ["an older life", { incarnation: incarnation + 1, instance: "new" }, "already met 4 of new"],
  ["another instance of the same life", { incarnation, instance: "twin" }, "already met 3 of twin"],
])("%s changes nothing any more", (_, newest, found) => {
  expect(refuseStranger({ ...expected, newest }, hello)).toEqual({
    code: CloseCode.fenced,
    reason: `layer 1 is incarnation 3 of b5c1, ${found}`,
  });
});
