import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../../services/cli/program.ts";
import { Evaluation } from "../../../../services/model/evaluation.ts";
import { wasmKernels } from "../../../../shared/math/wasm-kernels.ts";
import { testEdges } from "../../../support/edges.ts";
import { modelOf } from "../../model/model-of.ts";

const runs = mkdtempSync(join(tmpdir(), "unlocked-predict-"));
const ROWS = 300;
/** Pixels of held-out digits, and what the run's own evaluation makes of them. */
let digits: number[][];
let expected: Float32Array[];

beforeAll(async () => {
  const { model, set } = await modelOf(runs, "digits-1", "configs/mnist.yaml");
  await modelOf(runs, "rings-1", "configs/two-rings.yaml");
  await modelOf(runs, "text-1", "configs/gpt/tiny.yaml");
  const { input } = set.evaluationPart(0, ROWS);
  digits = Array.from({ length: ROWS }, (_, row) => [...input.subarray(row * 784, (row + 1) * 784)]);
  const scaled = Float32Array.from(input, (value) => value / 255);
  const answers = new Evaluation(wasmKernels({ megabytes: 16 }), model, ROWS).answers(scaled, ROWS);
  expected = digits.map((_, row) => answers.subarray(row * 10, (row + 1) * 10));
}, 60_000);

afterAll(() => rmSync(runs, { recursive: true }));

async function predicted(typed: string, ...args: string[]) {
  const said = { out: "", err: "" };
  const kernels = () => ({ kernels: wasmKernels({ megabytes: 32 }), found: {} });
  const edges = { ...testEdges(said, undefined, typed), kernels };
  const code = await runProgram(["predict", "--runs", runs, ...args], edges);
  return { code, ...said };
}

function expectDigits(out: string, count = ROWS): void {
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(count);
  for (const [row, { prediction, probabilities }] of lines.entries()) {
    const found = Array.from({ length: 10 }, (_, digit) => probabilities[digit]);
    for (const [digit, each] of found.entries()) expect(each).toBeCloseTo(expected[row]![digit]!, 6);
    expect(prediction).toBe(String(expected[row]!.indexOf(Math.max(...expected[row]!))));
  }
}

const csv = (rows: number[][]) => `${rows.map((row) => row.join(",")).join("\n")}\n`;

describe("unlocked predict", () => {
  it.each<[string, () => string]>([
    ["rows of CSV", () => csv(digits)],
    [
      "the same with a header, CRLF and a byte order mark",
      () => `\uFEFF${digits[0]!.map((_, n) => `p${n}`)}\r\n${csv(digits).replaceAll("\n", "\r\n")}`,
    ],
    ["arrays of JSON, a line each", () => digits.map((row) => `${JSON.stringify(row)}\n`).join("")],
    ["the last line without an end", () => csv(digits).trimEnd()],
  ])("says of %s what the run's own evaluation says", async (_, text) => {
    const { code, out, err } = await predicted(text(), "digits-1");
    expect([code, err]).toEqual([0, ""]);
    expectDigits(out);
  });

  it("reads files one after another, and names the place of each answer", async () => {
    const [one, other] = [join(runs, "one.csv"), join(runs, "other.csv")];
    writeFileSync(one, csv(digits.slice(0, 2)));
    writeFileSync(other, `\n${csv(digits.slice(2, 3))}`);
    const { out } = await predicted("", "digits-1", one, other);
    expectDigits(out, 3);
    const places = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).at);
    expect(places).toEqual([`${one}:1`, `${one}:2`, `${other}:2`]);
  });

  it("reads a picture as the digit that it is, whatever its size and format", async () => {
    const raw = { width: 28, height: 28, channels: 1 } as const;
    const small = join(runs, "digit.png");
    await sharp(Uint8Array.from(digits[0]!), { raw }).png().toFile(small);
    expectDigits((await predicted("", "digits-1", small)).out, 1);
    const large = join(runs, "digit.jpg");
    await sharp(Uint8Array.from(digits[0]!), { raw })
      .resize(280, 280, { kernel: "nearest" })
      .toColourspace("srgb")
      .jpeg({ quality: 100 })
      .toFile(large);
    const { probabilities } = JSON.parse((await predicted("", "digits-1", large)).out);
    for (let digit = 0; digit < 10; digit++)
      expect(Math.abs(probabilities[digit] - expected[0]![digit]!)).toBeLessThan(0.02);
  });

  it("reads NumPy arrays, rows of any shape, and refuses those that do not fit", async () => {
    const file = join(runs, "digits.npy");
    const npy = (shape: string, bytes: Uint8Array) => {
      const header = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117).concat("\n");
      return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(header), bytes]);
    };
    writeFileSync(file, npy(`(${ROWS}, 28, 28)`, Uint8Array.from(digits.flat())));
    const { out, err } = await predicted("", "digits-1", file);
    expect(err).toBe("");
    expectDigits(out);
    writeFileSync(file, npy("(2, 5)", new Uint8Array(10)));
    const refused = await predicted("", "digits-1", file);
    expect([refused.code, refused.out]).toEqual([78, ""]);
    expect(refused.err).toContain("Cannot encode 5 numbers: this model takes 784");
  });

  it("writes CSV where that is wanted", async () => {
    const { out } = await predicted("0.5,-0.5\n1,2\n", "rings-1", "--format", "csv");
    const [header, ...lines] = out
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    expect(header).toEqual(["at", "prediction", "0", "1"]);
    expect(lines.map(([at]) => at)).toEqual(["stdin:1", "stdin:2"]);
    for (const [, , zero, one] of lines) expect(Number(zero) + Number(one)).toBeCloseTo(1, 5);
  });

  it("answers what came before a row that is none, then names its place", async () => {
    const { code, out, err } = await predicted("0.5,1\n1,2,3\n", "rings-1");
    expect(out.trim().split("\n")).toHaveLength(1);
    expect([code, err]).toEqual([78, "stdin:2: Cannot encode 3 numbers: this model takes 2\n"]);
  });

  it.each([
    ["NaN", "0.5,NaN", 'stdin:1: Cannot read the row: cell 2 is "NaN", expected a number'],
    ["an empty cell", "1,2\n0.5,", 'stdin:2: Cannot read the row: cell 2 is "", expected a number'],
    [
      "infinity",
      "0.5,1e999",
      "stdin:1: Cannot encode the numbers: number 1 is Infinity, expected a finite number",
    ],
    ["JSON that is none", "[1,", "stdin:1: Cannot read the row: it is not JSON"],
    [
      "a text among numbers",
      '[1,"2"]',
      'stdin:1: Cannot encode the numbers: number 1 is "2", expected a number',
    ],
    ["null", "[1,null]", "stdin:1: Cannot encode the numbers: number 1 is null, expected a number"],
    ["an object", '{"x":1}', "stdin:1: Cannot encode a row: the inputs of this model are no table"],
  ])("refuses %s", async (_, typed, says) => {
    const { code, err } = await predicted(typed, "rings-1");
    expect([code, err]).toEqual([78, `${says}\n`]);
  });

  it("refuses pixels that are none, files that are not there or no picture, and models that learn from text", async () => {
    const broken = join(runs, "broken.png");
    writeFileSync(broken, "no picture");
    const row = digits[0]!.with(5, 256);
    const refusals = [
      await predicted(csv([row]), "digits-1"),
      await predicted("", "digits-1", join(runs, "no.csv")),
      await predicted("", "digits-1", broken),
      await predicted("", "rings-1", broken),
      await predicted("1", "text-1"),
    ];
    expect(refusals.map(({ code }) => code)).toEqual([78, 78, 78, 78, 78]);
    const [pixel, missing, corrupt, images, text] = refusals.map(({ err }) => err);
    expect(pixel).toContain("number 5 is 256, expected a whole number from 0 to 255");
    expect(missing).toContain(`Cannot read ${join(runs, "no.csv")}: ENOENT`);
    expect(corrupt).toContain(`Cannot decode ${broken}: `);
    expect(images).toContain("this model takes no images");
    expect(text).toContain("unlocked sample goes on writing");
  });
});
