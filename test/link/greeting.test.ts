import { describe, expect, it } from "vitest";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { CloseCode, type HelloFrame, PROTOCOL_VERSION } from "../../shared/wire/frames.ts";

const hello: HelloFrame = {
  kind: "hello",
  protocol: PROTOCOL_VERSION,
  run: "r1",
  from: 1,
  to: 2,
  incarnation: 3,
  instance: "a",
  configHash: "0123456789abcdef",
  width: 256,
  dtype: "f32",
};
const expected = {
  run: "r1",
  configHash: "0123456789abcdef",
  neighbour: 1,
  dtype: "f32",
  batches: 100,
  newest: undefined,
} as const;

describe("a neighbour", () => {
  it("of the same run and config is welcome", () => {
    expect(refuseStranger(expected, hello)).toBeUndefined();
  });

  it.each<[string, Partial<HelloFrame>, number, string]>([
    [
      "that speaks another protocol",
      { protocol: 9 },
      CloseCode.wrongVersion,
      `protocol is 9, expected ${PROTOCOL_VERSION}`,
    ],
    ["of another run", { run: "r2" }, CloseCode.wrongRun, "run is r2, expected r1"],
    ["with another number", { from: 4 }, CloseCode.mismatch, "layer is 4, expected 1"],
    [
      "with another config",
      { configHash: "fedcba9876543210" },
      CloseCode.mismatch,
      "config is fedcba987654, expected 0123456789ab",
    ],
    ["that sends another dtype", { dtype: "i8" }, CloseCode.mismatch, "dtype is i8, expected f32"],
    [
      "whose config differs in the dtype, which says more than the hash",
      { dtype: "bf16", configHash: "fedcba9876543210" },
      CloseCode.mismatch,
      "dtype is bf16, expected f32",
    ],
  ])("%s is refused, and told both values", (_, change, code, reason) => {
    expect(refuseStranger(expected, { ...hello, ...change })).toEqual({ code, reason });
  });

  it("may need every batch of the run, and none beyond", () => {
    const { to: _to, width: _width, dtype: _dtype, ...introduction } = hello;
    const welcome = { ...introduction, kind: "welcome" } as const;
    expect(refuseStranger(expected, { ...welcome, need: 100 })).toBeUndefined();
    expect(refuseStranger(expected, { ...welcome, need: 101 })).toEqual({
      code: CloseCode.mismatch,
      reason: "need is 101, expected at most 100",
    });
  });

  it("may come back: the same life, or a newer one", () => {
    const met = { ...expected, newest: { incarnation: 3, instance: "a" } };
    expect(refuseStranger(met, hello)).toBeUndefined();
    expect(refuseStranger(met, { ...hello, incarnation: 4, instance: "b" })).toBeUndefined();
  });

  it("whose newer life, or whose double, was met already is fenced", () => {
    const met = { ...expected, newest: { incarnation: 4, instance: "b" } };
    expect(refuseStranger(met, hello)?.code).toBe(CloseCode.fenced);
    expect(refuseStranger(met, { ...hello, incarnation: 4, instance: "c" })).toEqual({
      code: CloseCode.fenced,
      reason: "layer 1 is incarnation 4 of c, already met 4 of b",
    });
  });
});
