import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { prepareConfig, readConfig } from "../../shared/config/read-config.ts";
import { encodeRow } from "../../shared/data/encode.ts";
import { Examples } from "../../shared/data/examples.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { decodeImage } from "../../shared/data/pictures/image-file.ts";
import { Shuffle } from "../../shared/data/shuffle.ts";
import { floats, housingLike, npyBytes, put } from "../support/data-files.ts";

const folder = mkdtempSync(join(tmpdir(), "own-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(data: string, outputs: number) {
  const file = put(
    join(folder, "c.yaml"),
    `data: ${data}\nlayers: [{ outputs: 4 }, { outputs: ${outputs} }]\nrun: { batches: 1 }\n`,
  );
  const { config } = await prepareConfig(file);
  // What a run's folder has is all that is needed.
  expect(readConfig(canonicalYaml(config), "again.yaml").config).toEqual(config);
  return { data: config.data, facts: dataFacts(config.data), set: await openDataSet(config.data) };
}

describe("a shuffle", () => {
  it.each([1, 2, 3, 7, 64, 1000, 4097])("of %i is a permutation, another for each key", (length) => {
    const order = (key: number) => Array.from({ length }, (_, at) => new Shuffle(length, key).at(at));
    expect([...order(1)].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, at) => at));
    expect(order(1)).toEqual(order(1));
    if (length > 60) expect(order(1)).not.toEqual(order(2));
  });

  it("puts the first anywhere, about as often", () => {
    const counts = new Array<number>(10).fill(0);
    for (let key = 0; key < 5000; key++) counts[new Shuffle(10, key).at(0)]!++;
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(110);
  });
});

it("examples held out are never trained on, and an epoch has each of the others once", () => {
  for (const how of [{ count: 30, seed: 4 }, { last: 30 }] as const) {
    const examples = new Examples(100, how);
    const epoch = [0, 1, 2, 3].flatMap((number) => examples.batch(1, 4 + number, 20));
    const heldOut = [0, 1].flatMap((part) => examples.evaluationPart(part, 20));
    expect([epoch.length, heldOut.length]).toEqual([70, 30]);
    expect(new Set([...epoch, ...heldOut]).size).toBe(100);
    expect(examples.batch(1, 4, 20)).not.toEqual(examples.batch(2, 4, 20));
  }
});

describe("a table", () => {
  const path = put(join(folder, "housing.csv"), housingLike(300));
  const data = `{ set: csv, path: ${path}, label: price }`;

  it("comes as its facts encode it, standardised by the training rows", async () => {
    const { set, facts } = await open(data, 1);
    const [header, ...lines] = housingLike(300)
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    // Two houses may be alike but for their price.
    const encoded = lines.map((cells) => {
      const row = Object.fromEntries(header!.map((name, at) => [name, cells[at]]));
      return { inputs: String([...encodeRow(facts, row)]), price: Number(row.price) };
    });
    const { mean = 0, deviation = 1 } = facts.labels![0]!;
    const sums = new Float64Array(facts.inputWidth);
    for (let number = 0; number < 4; number++) {
      const { rows, input, labels } = set.batch(1, number, 60);
      for (let row = 0; row < rows; row++) {
        const own = [...input.subarray(row * facts.inputWidth, (row + 1) * facts.inputWidth)];
        const price = mean + labels[row]! * deviation;
        const found = encoded.some((one) => one.inputs === String(own) && Math.abs(one.price - price) < 0.5);
        expect(found).toBe(true);
        for (const [at, value] of own.entries()) sums[at]! += value;
      }
    }
    // Area and age of the 240 training rows; age is marked where it is missing.
    expect(facts.columns).toMatchObject([
      { name: "area" },
      { marksMissing: true },
      { categories: ["Bonn", "Oslo", "Rome"] },
    ]);
    expect([Math.abs(sums[0]! / 240) < 1e-6, Math.abs(sums[1]! / 240) < 1e-6, sums[2]! > 3]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("is refused once it has changed", async () => {
    const { data: looked } = await open(data, 1);
    writeFileSync(path, housingLike(301));
    await expect(openDataSet(looked)).rejects.toThrow("it has changed since this run began");
  });

  it("has several labels", async () => {
    const rows = Array.from({ length: 20 }, (_, row) => `${row},${row % 2},${row % 3 ? "no" : "yes"}`);
    const several = put(join(folder, "several.csv"), `x,odd,third\n${rows.join("\n")}\n`);
    const { set, facts } = await open(`{ set: csv, path: ${several}, label: [odd, third] }`, 2);
    expect(facts).toMatchObject({ judged: "bits", labels: [{ name: "odd" }, { name: "third" }] });
    const { input, labels } = set.batch(0, 0, 16);
    const { mean = 0, deviation = 1 } = facts.columns![0] as { mean?: number; deviation?: number };
    input.forEach((value, row) => {
      const number = Math.round(mean + value * deviation);
      expect([...labels.subarray(2 * row, 2 * row + 2)]).toEqual([number % 2, number % 3 ? 0 : 1]);
    });
  });
});

it("an array comes as it is, bytes as bytes, labels standardised", async () => {
  const x = put(
    join(folder, "x.npy"),
    npyBytes(
      "|u1",
      [10, 2, 3],
      Uint8Array.from({ length: 60 }, (_, at) => at),
    ),
  );
  const y = put(
    join(folder, "y.npy"),
    npyBytes("<f4", [10], floats(...Array.from({ length: 10 }, (_, at) => 5 * at))),
  );
  const { set, facts } = await open(`{ set: npy, path: ${x}, labels: ${y}, heldOut: 0.2 }`, 1);
  expect(facts).toMatchObject({
    image: { height: 2, width: 3, channels: 1 },
    inputScale: 1 / 255,
    judged: "values",
  });
  const { mean = 0, deviation = 1 } = facts.labels![0]!;
  const { input, labels } = set.batch(0, 0, 8);
  labels.forEach((label, row) => {
    const number = (mean + label * deviation) / 5;
    expect(input[6 * row]).toBe(6 * Math.round(number));
  });
});

it("pictures come scaled, in their colours or grey, from the cache as decoded", async () => {
  const paint = (background: string, height: number) =>
    sharp({ create: { width: 20, height, channels: 3, background } })
      .png()
      .toBuffer();
  for (let each = 0; each < 4; each++) {
    put(join(folder, "p/blue", `${each}.png`), await paint("#0000ff", 20 + each));
    put(join(folder, "p/red", `${each}.PNG`), await paint("#ff0000", 30));
  }
  const cache = join(folder, "cache");
  const data = (more: string) =>
    `{ set: images, path: ${folder}/p, height: 4, width: 5, cache: ${cache}, ${more} }`;
  const { set, facts } = await open(data("heldOut: 0.25"), 2);
  expect(facts).toMatchObject({
    image: { height: 4, width: 5, channels: 3 },
    labels: [{ name: "blue" }, { name: "red" }],
  });
  expect(readdirSync(cache)).toHaveLength(1);
  const again = (await open(data("heldOut: 0.25"), 2)).set;
  for (const each of [set, again]) {
    const { rows, input, labels } = each.batch(0, 0, 6);
    for (let row = 0; row < rows; row++)
      expect([...input.subarray(60 * row, 60 * row + 3)]).toEqual(
        labels[row] === 0 ? [0, 0, 255] : [255, 0, 0],
      );
  }
  const grey = await open(data("colour: grey"), 2);
  expect(grey.facts.inputWidth).toBe(20);
  const pixels = await decodeImage(await paint("#808080", 9), { height: 2, width: 2, channels: 1 });
  expect([...pixels]).toEqual([128, 128, 128, 128]);
});
