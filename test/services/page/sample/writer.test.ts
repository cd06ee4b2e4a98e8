import { describe, expect, it } from "vitest";
import { isText, Writer, whyNothing } from "../../../../services/page/sample/writer.ts";
import type { DataFacts } from "../../../../shared/config/data-facts.ts";

const LENGTH = 200;
const table: DataFacts = {
  ...{ inputWidth: 4, inputType: "f32", trainingExamples: 1 },
  ...{ labelWidth: 3, judged: "class" },
};
const letters: DataFacts = { ...table, sequence: { positions: 4, vocabulary: 3 }, characters: "abc" };

function whole(beliefs: readonly number[], batch = 7): Writer {
  const writer = new Writer(letters, "a", 0);
  while (!writer.isWhole) writer.take(beliefs, batch);
  return writer;
}

describe("a writer on the page", () => {
  it("asks for what comes after the prompt and all it has drawn", () => {
    const writer = new Writer(letters, "ab", 0);
    expect(writer.question).toEqual({ text: "ab", ids: [] });
    writer.take([0, 0, 1], 5);
    writer.take([0, 1, 0], 6);
    expect(writer.question).toEqual({ text: "ab", ids: [2, 1] });
    expect(writer.written).toEqual({ prompt: "ab", text: "cb", batches: [5, 6] });
  });

  it("writes 200 ids, by beliefs sharpened by temperature 0.8, and the same ones again", () => {
    const beliefs = [0.6, 0.3, 0.1];
    const { text } = whole(beliefs).written;
    expect(text).toHaveLength(LENGTH);
    expect(whole(beliefs).written.text).toBe(text);
    expect(whole([0.1, 0.3, 0.6]).written.text).not.toBe(text);
    // 0.6 ^ 1.25 : 0.3 ^ 1.25 : 0.1 ^ 1.25, by hand; five standard deviations of 200 draws are 0.17.
    const share = [...text].filter((letter) => letter === "a").length / LENGTH;
    expect(Math.abs(share - 0.661)).toBeLessThan(0.17);
    expect(new Set(text).size).toBe(3);
  });

  it("begins another one when it is whole, half a minute has passed, and the head has learnt", () => {
    const writer = whole([1, 0, 0], 7);
    expect(writer.isDue(30_000, 8)).toBe(true);
    expect(writer.isDue(29_999, 8)).toBe(false);
    expect(writer.isDue(30_000, 7)).toBe(false);
    expect(new Writer(letters, "a", 0).isDue(30_000, 8)).toBe(false);
  });

  it("waits with a letter of two bytes for its second one", () => {
    const { characters: _, ...bytes } = letters;
    const writer = new Writer(bytes, "a", 0);
    const byte = (id: number) => Array.from({ length: 256 }, (_, place) => (place === id ? 1 : 0));
    writer.take(byte(0xc3), 1);
    expect(writer.written.text).toBe("");
    writer.take(byte(0xa9), 1);
    expect(writer.written.text).toBe("é");
  });
});

describe("why nothing is written", () => {
  const answer = (worker: "source" | "layer1" | "layer2") => ({ worker, batch: 1, ms: 1 });
  const workers = ["source", "layer1", "layer2", "layer3"];

  it.each([
    ["the refusal", [{ ...answer("source"), refusal: "layer 1 is away" }], "layer 1 is away"],
    ["the first one that is silent", [answer("source"), answer("layer1")], "layer 2 does not answer"],
    ["nobody at all", [], "source does not answer"],
  ])("is %s", (_, answers, why) => {
    expect(whyNothing(answers, workers)).toBe(why);
  });
});

describe("a run can write", () => {
  it("where its data are sequences or windows of a text, and nowhere else", () => {
    expect(isText(letters)).toBe(true);
    expect(isText({ ...table, window: 8 })).toBe(true);
    expect(isText(table)).toBe(false);
  });
});
