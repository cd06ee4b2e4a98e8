import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText } from "../../shared/data/decode-text.ts";
import { encodeTokens, tokenNames } from "../../shared/data/gpt2-tokens.ts";

const LINE = "To be, or not to be: that is the question; <|endoftext|> é 😀\n";
const anyCount = fc.constantFrom(256, 300, 1024, 5000, 50_256);
const anyText = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.constant(LINE));
const decoded = (ids: readonly number[], count: number) =>
  decodeText({ inputWidth: ids.length, tokens: tokenNames(count) }, ids);

describe("tokens of GPT-2", () => {
  it("are the ones that GPT-2 makes, where all of them are known", () => {
    // As OpenAI's own encoder has them.
    expect(encodeTokens("Hello world", 50_256)).toEqual([15_496, 995]);
  });

  it("begin with the bytes, each once", () => {
    expect(new Set(tokenNames(256)).size).toBe(256);
    expect(tokenNames(256).every(({ length }) => length === 1)).toBe(true);
    expect(tokenNames(257)[256]).toBe(" t");
  });

  it("encode any text, by those below the count, and back to the letter", () => {
    fc.assert(
      fc.property(anyText, anyCount, (text, count) => {
        const ids = encodeTokens(text, count);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < count)).toBe(true);
        expect(decoded(ids, count)).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
      }),
      { numRuns: 200 },
    );
  });

  it("of fewer are what merging leaves when it stops there: merged further, they are those of more", () => {
    const merge = (parts: readonly string[], ranks: ReadonlyMap<string, number>) => {
      const own = [...parts];
      for (;;) {
        const pairs = own.slice(1).map((part, at) => ranks.get(own[at]! + part) ?? Number.POSITIVE_INFINITY);
        const least = Math.min(...pairs);
        if (least === Number.POSITIVE_INFINITY) return own;
        own.splice(pairs.indexOf(least), 2, own[pairs.indexOf(least)]! + own[pairs.indexOf(least) + 1]!);
      }
    };
    const names = tokenNames(50_256);
    const ranks = new Map(names.map((name, rank) => [name, rank]));
    for (const word of [" question", " Shakespeare", "unhappiness", " philosophy"]) {
      const few = encodeTokens(word, 1024);
      expect(few.length).toBeGreaterThan(1);
      const more = merge(
        few.map((id) => names[id]!),
        ranks,
      );
      expect(more.map((name) => ranks.get(name))).toEqual(encodeTokens(word, 50_256));
      // None of these can be merged any more with what is known.
      const known = new Map(names.slice(0, 1024).map((name, rank) => [name, rank]));
      expect(
        merge(
          few.map((id) => names[id]!),
          known,
        ),
      ).toHaveLength(few.length);
    }
  });
});
