import { expect, test } from "vitest";
import { cutReason, whyOfError } from "../../shared/link/link.ts";

test("a reason that fits stays as it is", () => {
  expect(cutReason("a".repeat(123))).toBe("a".repeat(123));
});

test("a reason too long is cut between characters, wherever the bound falls", () => {
  for (let start = 90; start < 130; start++) {
    const reason = "a".repeat(start) + "×€🎲".repeat(20);
    const cut = cutReason(reason);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(123);
    expect(Buffer.byteLength(cut)).toBeGreaterThan(118);
    expect(cut.endsWith("…") && reason.startsWith(cut.slice(0, -1))).toBe(true);
    expect(Buffer.from(cut).toString()).toBe(cut);
  }
});

test("an error without a message is named by its code", () => {
  const error = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
  expect(whyOfError(error)).toEqual({ code: 1006, reason: "ECONNREFUSED" });
});
