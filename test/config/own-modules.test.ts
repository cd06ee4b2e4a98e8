import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { configHash } from "../../shared/config/hash.ts";
import { ConfigError, loadConfig, prepareConfig, readConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { viewOfLayer } from "../../shared/layers/describe.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";

const EXAMPLE = "docs/extending";

let folder: string;
const inFolder = (name: string) => join(folder, name);
const config = () => inFolder("board.yaml");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-own-"));
  cpSync(EXAMPLE, folder, { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(inFolder(name), text);
}

function edit(name: string, from: string, to: string): void {
  const text = readFileSync(inFolder(name), "utf8");
  expect(text).toContain(from);
  write(name, text.replace(from, to));
}

function mistakesOf(...set: string[]): readonly string[] {
  try {
    loadConfig(config(), set);
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes.map((each) => each.replaceAll(folder, ""));
    throw cause;
  }
  return [];
}

describe("the example of docs/extending.md", () => {
  it("stands in the page as it stands in its files", () => {
    const page = readFileSync("docs/extending.md", "utf8");
    for (const name of ["skip.ts", "board.ts", "board.yaml"])
      expect(page).toContain(readFileSync(join(EXAMPLE, name), "utf8"));
  });

  it("is read as any other config", () => {
    const read = loadConfig(config()).config;
    expect(read.data).toMatchObject({ set: "./board.ts", squares: 3 });
    expect(read.layers[1]).toMatchObject({ kind: "./skip.ts", inputs: 32, outputs: 32, batchNorm: true });
    expect(viewOfLayer(read.layers[1]!)).toEqual({
      ...{ inputs: 32, outputs: 32 },
      what: "skip, batch norm, relu",
      parameters: 32 * 32 + 2 * 32,
    });
  });

  it("learns what the same network with its layers frozen does not", async () => {
    const [learnt, frozen] = await Promise.all([errorOf([]), errorOf(["learning.method=frozen"])]);
    console.log(`chess board: test error ${learnt}, frozen ${frozen}`);
    expect(learnt).toBeLessThan(0.15);
    expect(frozen).toBeGreaterThan(2 * learnt);
  });

  it("learns otherwise where the layer is another: the module is what computes", async () => {
    const before = await errorOf(["run.batches=100"]);
    edit("skip.ts", "one[at]! + other[at]!", "one[at]! - other[at]!");
    expect(await errorOf(["run.batches=100"])).not.toBe(before);
  });
});

describe("modules of the user's own", () => {
  it("travel in the complete config: it means the same where the files are gone", () => {
    const read = loadConfig(config()).config;
    const text = canonicalYaml(read);
    rmSync(folder, { recursive: true });
    const again = readConfig(text, "/nowhere/config.yaml").config;
    expect(again).toEqual({ ...read, name: "board" });
    expect(canonicalYaml(again)).toBe(text);
  });

  it("are part of the config's hash by what they say, wherever they lie", () => {
    const hash = () => configHash(loadConfig(config()).config);
    const before = hash();
    expect(configHash(loadConfig(`${EXAMPLE}/board.yaml`).config)).toBe(before);
    mkdirSync(inFolder("deep"));
    cpSync(inFolder("skip.ts"), inFolder("deep/skip.ts"));
    const moved = ["layers.1.kind=./deep/skip.ts", "layers.2.kind=./deep/../deep/skip.ts"];
    expect(configHash(loadConfig(config(), moved).config)).toBe(before);
    edit("skip.ts", "one[at]! + other[at]!", "other[at]! + one[at]!");
    const edited = hash();
    expect(edited).not.toBe(before);
    edit("board.ts", "HELD_OUT = 1000", "HELD_OUT = 999");
    expect(new Set([before, edited, hash()]).size).toBe(3);
  });

  it("may import files beside them, which are part of them", () => {
    write("plus.ts", "export const plus = (one: number, other: number): number => one + other;");
    edit("skip.ts", "one[at]! + other[at]!", "plus(one[at]!, other[at]!)");
    edit("skip.ts", 'from "unlocked";', 'from "unlocked";\nimport { plus } from "./plus.ts";');
    const before = configHash(loadConfig(config()).config);
    edit("plus.ts", "one + other", "other + one");
    expect(configHash(loadConfig(config()).config)).not.toBe(before);
  });

  it("may make fields with zod itself, among ours", () => {
    edit("board.ts", "wholeFrom(2, 8)", "z.number().multipleOf(3).and(wholeFrom(2, 8))");
    edit("board.ts", "import {", 'import * as z from "zod";\nimport {');
    expect(loadConfig(config(), ["data.squares=6"]).config.data.squares).toBe(6);
    expect(mistakesOf("data.squares=5")).toEqual([expect.stringContaining("data.squares is 5")]);
    expect(mistakesOf("data.squares=9")).toEqual([expect.stringContaining("data.squares is 9")]);
  });

  it("may look into files, once: what they find stands in the complete config", async () => {
    write("words.txt", "a\nbc\nd\n");
    write(
      "words.ts",
      `import { readFileSync } from "node:fs";
       import { dataSetKind, text, wholeFrom } from "unlocked";
       export default dataSetKind({
         about: "Words.",
         fields: { file: text("a file").describe("x"), words: wholeFrom(1).optional().describe("x") },
         look: async ({ file, words }) => (words ? {} : { words: readFileSync(file, "utf8").trim().split("\\n").length }),
         complete: ({ file, words }, refuse) => {
           if (words === undefined) refuse("words", words, "nobody looked");
           return { file, words };
         },
         facts: ({ words }) => ({ inputWidth: 2, labelWidth: words, inputType: "u8", judged: "class", trainingExamples: words }),
         open: () => { throw new Error("not here"); },
       });`,
    );
    const set = [`data={set: ./words.ts, file: ${inFolder("words.txt")}}`, "layers.3.outputs=3"];
    const prepared = (await prepareConfig(config(), set)).config;
    expect(prepared.data.words).toBe(3);
    expect(() => loadConfig(config(), set)).toThrow("data.words is missing: nobody looked");
    rmSync(inFolder("words.txt"));
    expect(readConfig(canonicalYaml(prepared), "x.yaml").config).toEqual(prepared);
    await expect(prepareConfig(config(), set)).rejects.toThrow(/data.*Cannot look at the data: ENOENT/);
  });

  it.each<[string, () => void, string]>([
    [
      "is not there",
      () => rmSync(inFolder("skip.ts")),
      '/board.yaml:2:29: layers.1.kind is "./skip.ts": no such file',
    ],
    [
      "is no program",
      () => write("skip.ts", "export default {\n  about: }"),
      'layers.1.kind is "./skip.ts": skip.ts:2:10: Unexpected "}"',
    ],
    [
      "imports what is not there",
      () => write("skip.ts", 'import "./gone.ts";'),
      'layers.1.kind is "./skip.ts": skip.ts:1:8: Could not resolve "./gone.ts"',
    ],
    [
      "throws",
      () => write("skip.ts", 'throw new Error("out of order"); export default {}'),
      'layers.1.kind is "./skip.ts": it throws as it is loaded: out of order',
    ],
    [
      "exports nothing",
      () => write("skip.ts", "export const kind = {};"),
      'layers.1.kind is "./skip.ts": it has no default export that is a kind',
    ],
    [
      "is a data set",
      () => cpSync(inFolder("board.ts"), inFolder("skip.ts")),
      'layers.1.kind is "./skip.ts": its default export has no function size, transform, describe',
    ],
    [
      "has no schema",
      () => edit("skip.ts", "fields: activated", "fields: { width: Number }"),
      'layers.1.kind is "./skip.ts": its field width is no schema',
    ],
    [
      "fails at its work",
      () => edit("skip.ts", "given && { inputs: given.width, outputs: given.width }", "undefined!.width"),
      'layers.1.kind is "./skip.ts": its code throws: Cannot read properties of undefined',
    ],
    [
      "is too long",
      () => edit("skip.ts", "A dense layer", "x".repeat(200_000)),
      'layers.1.kind is "./skip.ts": the modules have 20',
    ],
  ])("are refused, with their place, where one %s", (_, spoil, says) => {
    spoil();
    const mistakes = mistakesOf();
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(says);
  });

  it("have entries that are checked as all others are", () => {
    expect(mistakesOf("data.squares=9")).toEqual([
      "--set data.squares: data.squares is 9: expected a whole number from 2 to 8",
    ]);
    expect(mistakesOf("data.sqares=3")[0]).toContain("data.sqares is unknown: did you mean squares?");
    expect(mistakesOf("layers.2.width=3")[0]).toContain("known here: kind, nonlinearity, batchNorm, method");
    expect(mistakesOf("layers.3={kind: ./skip.ts}")[0]).toContain(
      'layers.3.kind is "./skip.ts": it cannot be the head',
    );
  });

  it("are refused where their examples are not what their facts say", async () => {
    edit("board.ts", "inputWidth: 2", "inputWidth: 3");
    await expect(openDataSet(loadConfig(config()).config.data)).rejects.toThrow(
      "Cannot use ./board.ts: an example has 2 inputs of f32 and 1 labels of u8, expected 3 inputs of f32 and 1 labels of u8",
    );
  });
});

/** Test error of the example, trained in this process. */
async function errorOf(set: readonly string[]): Promise<number> {
  const read = loadConfig(config(), ["run.batches=1500", "seed=1", ...set]).config;
  const data = await openDataSet(read.data);
  const chain = referenceChain(plainKernels(), read, { staleness: 1, inputScale: data.inputScale });
  const { batches, batchSize } = read.run;
  for (let number = 0; number < batches; number++)
    chain.train(data.batch(read.seed, number, batchSize), number);
  return chain.evaluate([data.evaluationPart(0, 64), data.evaluationPart(1, 64), data.evaluationPart(2, 64)])
    .error;
}
