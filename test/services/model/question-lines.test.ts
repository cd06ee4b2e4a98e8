import { describe, expect, it } from "vitest";
import { readInfer } from "../../../services/model/inference.ts";
import {
  linesAsTheyCome,
  MOST_LINE_CHARACTERS,
  QuestionLines,
} from "../../../services/model/question-lines.ts";
import type { DataFacts } from "../../../shared/config/data-facts.ts";

const columns = [
  { name: "age", mean: 40, deviation: 10 },
  { name: "town", categories: ["Ely, Cambs", "Bath"] },
] as const;
const facts: DataFacts = {
  ...{ inputWidth: 3, labelWidth: 2, inputType: "f32", judged: "class", trainingExamples: 10, columns },
};

function rows(...lines: string[]) {
  const reader = new QuestionLines(facts);
  return lines
    .map((line) => reader.read(line))
    .filter((row) => row !== undefined)
    .map((row) => [...row]);
}

describe("texts", () => {
  const letters = { ...facts, columns: undefined, inputWidth: 6, window: 2, characters: "ab\n" };
  const read = (line: string) => [...new QuestionLines(letters as unknown as DataFacts).read(line)!];

  it("become their last characters, one-hot", () => {
    expect(read('{"text":"bba"}')).toEqual([0, 1, 0, 1, 0, 0]);
    expect(read('{"text":"a"}')).toEqual([0, 0, 1, 1, 0, 0]);
  });

  it.each([
    ['{"text":"ac"}', 'Cannot encode the text: character 1, "c", is not in the vocabulary'],
    ['{"text":3}', 'Cannot encode {"text":3}: expected {"text": "…"}'],
  ])("are refused: %s", (line, says) => expect(() => read(line)).toThrow(says));
});

describe("rows of a table", () => {
  it("are found by the header's names, in whatever order, quoted or not; what else there is is passed over", () => {
    expect(rows("town,note,age", '"Ely, Cambs",x,50', "Bath,,", "", ",y,30")).toEqual([
      [1, 1, 0],
      [0, 0, 1],
      [-1, 0, 0],
    ]);
  });

  it("may be JSON objects, or arrays in the order of the model's columns", () => {
    expect(rows('{"town":"Bath","age":40}', '[50,"Ely, Cambs"]')).toEqual([
      [0, 0, 1],
      [1, 1, 0],
    ]);
  });

  it.each([
    ["a header without a column", ["age,city", "1,Bath"], "Cannot read the header: it has no column town"],
    ["a ragged row", ["age,town", "1,Bath,3"], "Cannot read the row: 3 cells, the header has 2"],
    [
      "an unknown category",
      ["age,town", "1,Rome"],
      'Cannot encode the row: town is "Rome", expected one of Ely, Cambs, Bath',
    ],
    [
      "a word for a number",
      ["age,town", "old,Bath"],
      'Cannot encode the row: age is "old", expected a number',
    ],
    ["a quote without an end", ["age,town", '1,"Bath'], "Cannot read the row: Quote Not Closed"],
    ["an array of another length", ["[1]"], "Cannot encode a row of 1 values: this model takes 2 columns"],
    ["an object without a column", ['{"age":1}'], "Cannot encode the row: it has no town"],
  ])("are refused: %s", (_, lines, says) => expect(() => rows(...lines)).toThrow(says));

  it("are a tensor for each column in the Open Inference Protocol", () => {
    const age = { name: "age", shape: [2, 1], datatype: "FP32", data: [50, null] };
    const town = { name: "town", shape: [2, 1], datatype: "BYTES", data: ["Bath", "Ely, Cambs"] };
    const { inputs } = readInfer({ inputs: [age, town] }, facts, 10);
    expect(inputs.map((row) => [...row])).toEqual([
      [1, 0, 1],
      [0, 1, 0],
    ]);
    const short = { ...town, shape: [1, 1], data: ["Bath"] };
    expect(() => readInfer({ inputs: [age, short] }, facts, 10)).toThrow(
      "input town has 1 values, the first input has 2 rows",
    );
    expect(() => readInfer({ inputs: [age] }, facts, 10)).toThrow("input town has no values");
  });
});

describe("the lines of a stream", () => {
  async function* pieces(...texts: (Buffer | string)[]) {
    yield* texts;
  }

  async function collected(...texts: (Buffer | string)[]): Promise<string[]> {
    const all: string[] = [];
    for await (const lines of linesAsTheyCome(pieces(...texts))) all.push(...lines);
    return all;
  }

  it("are whole wherever the stream is cut, within a character too", async () => {
    const bytes = Buffer.from("ä,1\r\nb,2\n");
    for (let at = 0; at <= bytes.length; at++)
      expect(await collected(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["ä,1", "b,2", ""]);
  });

  it("come before the stream ends", async () => {
    const stream = linesAsTheyCome(
      (async function* () {
        yield "1,2\n3";
        await new Promise(() => undefined);
      })(),
    );
    expect((await stream.next()).value).toEqual(["1,2"]);
  });

  it("are refused where they have no end, or are no text", async () => {
    await expect(collected("x".repeat(MOST_LINE_CHARACTERS + 1))).rejects.toThrow("a line is longer than");
    await expect(collected(Buffer.of(0xff, 0xfe, 0x00))).rejects.toThrow();
  });
});
