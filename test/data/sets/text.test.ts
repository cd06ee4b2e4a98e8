import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataFacts } from "../../../shared/config/data-facts.ts";
import type { DataConfig } from "../../../shared/data/data-set-kind.ts";
import { decodeText } from "../../../shared/data/decode-text.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import { text } from "../../../shared/data/sets/text.ts";

const folder = mkdtempSync(join(tmpdir(), "unlocked-text-"));

function file(contents: string | Buffer): string {
  const path = join(folder, `${Math.random()}.txt`);
  writeFileSync(path, contents);
  return path;
}

/** The completed part of a config, and what was refused. */
function complete(written: Record<string, unknown>): { data: DataConfig; refused: string[] } {
  const refused: string[] = [];
  const sizes = { units: "characters", context: 4, heldOut: 0.5, windows: 500, ...written };
  const entries = text.complete!(sizes, (entry, _value, what) => refused.push(`${entry}: ${what}`));
  return { data: { ...entries, set: "text" }, refused };
}

const alphabet = "abcdefghijklmnopqrstuvwxyz";

describe("windows of a text", () => {
  const { data } = complete({ path: file(alphabet) });

  it("hold ids in the order of the characters, and for each position the one after it", async () => {
    const set = await openDataSet(data);
    expect(data.characters).toBe(alphabet);
    const { rows, input, labels } = set.batch(1, 0, 50);
    expect([input.length, labels.length]).toEqual([rows * 4, rows * 4]);
    expect([...labels]).toEqual(Array.from(input, (id) => id + 1));
  });

  it("are the same for the same seed and number, and others for others", async () => {
    const [one, other] = [await openDataSet(data), await openDataSet(data)];
    expect(one.batch(1, 7, 5)).toEqual(other.batch(1, 7, 5));
    expect(one.batch(1, 7, 5)).not.toEqual(one.batch(1, 8, 5));
    expect(one.batch(1, 7, 5)).not.toEqual(one.batch(2, 7, 5));
  });

  it("never train on what is held out, and evaluate on nothing else, once", async () => {
    const set = await openDataSet(data);
    const trained = new Set(Array.from({ length: 200 }, (_, n) => [...set.batch(1, n, 8).input]).flat());
    expect(Math.max(...trained)).toBe(11);
    const parts = Array.from({ length: set.evaluationParts(2) }, (_, part) => set.evaluationPart(part, 2));
    expect(parts.flatMap(({ input }) => [...input])).toEqual([
      13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    ]);
  });

  it("take bytes for ids where they are told to", async () => {
    const bytes = complete({
      path: file(Buffer.from([255, 0, 128, 7, 9, 1, 2, 3, 4, 5, 6, 7])),
      units: "bytes",
    });
    expect(dataFacts(bytes.data).sequence).toEqual({ positions: 4, vocabulary: 256 });
    const { input } = (await openDataSet(bytes.data)).batch(1, 0, 20);
    expect(new Set(input)).toContain(255);
  });

  it("are of tokens where they are told to: floats, and the text again", async () => {
    const line = "To be, or not to be: that is the question. ";
    const { data, refused } = complete({ path: file(line.repeat(20)), units: "gpt2", vocabulary: 400 });
    expect(refused).toEqual([]);
    const facts = dataFacts(data);
    expect(facts).toMatchObject({ sequence: { positions: 4, vocabulary: 400 }, inputType: "f32" });
    const { rows, input, labels } = (await openDataSet(data)).batch(1, 0, 30);
    expect([input.length, labels.length]).toEqual([rows * 4, rows * 4]);
    // A byte does not tell 400 apart.
    expect(labels).toBeInstanceOf(Uint16Array);
    for (let row = 0; row < rows; row++) {
      const ids = input.subarray(row * 4, (row + 1) * 4);
      expect(line.repeat(2)).toContain(decodeText(facts, [...ids, labels[row * 4 + 3]!]));
    }
  });

  it("come from a package where no path is given", async () => {
    const { data, refused } = complete({ context: 64, heldOut: 0.1 });
    expect(refused).toEqual([]);
    const set = await openDataSet(data);
    const characters = [...(data.characters as string)];
    const words = [...set.batch(1, 0, 12).input].map((id) => characters[id]).join("");
    expect(words).toMatch(/[a-z]{3} [a-z]{2}/);
  });
});

describe("a text that cannot be used", () => {
  it.each([
    [{ vocabulary: 300 }, "vocabulary: characters are no tokens of GPT-2"],
    [{ units: "gpt2", window: 4, context: undefined }, "window: tokens of GPT-2 are for a context"],
    [{ units: "gpt2", characters: "ab" }, "characters: gpt2 are their own vocabulary"],
  ])("%j", (written, why) => {
    expect(complete({ path: file("some text"), ...written }).refused).toEqual([why]);
  });

  it.each([
    ["is not there", () => ({ path: join(folder, "none") }), /^path: Cannot read .*none: no such file$/],
    ["is no UTF-8", () => ({ path: file(Buffer.from([65, 255])) }), /no UTF-8, say units: bytes$/],
    [
      "has too many different characters",
      () => ({ path: file(String.fromCodePoint(...Array.from({ length: 300 }, (_, i) => 200 + i))) }),
      /^units: the text has 300 different characters, at most 256; say bytes instead$/,
    ],
    [
      "has a vocabulary with a character twice",
      () => ({ characters: "aba" }),
      /^characters: a character is there twice$/,
    ],
    [
      "has a vocabulary and is bytes",
      () => ({ characters: "ab", units: "bytes" }),
      /bytes are their own vocabulary$/,
    ],
  ])("%s: says so", (_, written, what) => {
    const { refused } = complete(written());
    expect(refused).toEqual([expect.stringMatching(what)]);
  });

  it.each([
    [
      "is shorter than its windows",
      "abcdefgh",
      undefined,
      /its 8 ids leave a part of 4, a window takes 4 and one more/,
    ],
    [
      "has a character beside the vocabulary",
      `${alphabet}!`,
      alphabet,
      /character 26, "!", is not in data.characters/,
    ],
  ])("%s: is not opened", async (_, contents, characters, what) => {
    const { data } = complete({ path: file(contents), ...(characters && { characters }) });
    await expect(openDataSet(data)).rejects.toThrow(what);
  });
});
