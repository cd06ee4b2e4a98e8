import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../../services/cli/program.ts";
import { prepareConfig } from "../../../../shared/config/read-config.ts";
import { housingLike, irisLike, put } from "../../../support/data-files.ts";
import { testEdges } from "../../../support/edges.ts";

const folder = mkdtempSync(join(tmpdir(), "data-commands-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const iris = put(join(folder, "iris.csv"), irisLike(150));
const housing = put(join(folder, "housing.csv"), housingLike(400));

async function unlocked(...argv: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(argv, testEdges(said, "process.exit(78)"));
  return { code, ...said };
}

describe("unlocked init", () => {
  it("writes a config that can be used, with comments, and says how to start it", async () => {
    const out = join(folder, "iris.yaml");
    const { code, out: said } = await unlocked("init", iris, "--label", "species", "--out", out);
    expect(code).toBe(0);
    expect(said).toContain(`npm start -- ${out}`);
    expect(readFileSync(out, "utf8")).toMatch(/^# .*iris.csv: 120 rows to train on, 4 inputs, 3 classes/);
    const { config, warnings } = await prepareConfig(out);
    expect([config.layers.at(-1)?.outputs, config.loss, warnings]).toEqual([3, "softmax-cross-entropy", []]);
    expect((await unlocked("init", iris, "--label", "species", "--out", out)).err).toContain(
      "it is there already",
    );
  });

  it("takes several labels, and numbers for regression", async () => {
    const out = join(folder, "two.yaml");
    await unlocked("init", housing, "--label", "price", "--label", "area", "--out", out);
    const { config } = await prepareConfig(out);
    expect([config.layers.at(-1)?.outputs, config.loss, config.units?.length]).toEqual([
      2,
      "mean-squared-error",
      2,
    ]);
  });

  it.each([
    [["init", iris], "--label says which column to learn"],
    [["init", iris, "--label", "kind"], "it has no column kind for label"],
    [["init", join(folder, "none.csv"), "--label", "y"], "no such file"],
    [["init", folder, "--label", "y"], "their folders are the classes"],
    [["init", put(join(folder, "x.txt"), "a,b\n"), "--label", "b"], "expected .csv, .tsv, or a folder"],
  ])("refuses %j and writes nothing", async (argv, words) => {
    const out = join(folder, "never.yaml");
    const { code, err } = await unlocked(...argv, "--out", out);
    expect(err).toContain(words);
    expect([code, existsSync(out)]).toEqual([78, false]);
  });
});

describe("unlocked data", () => {
  it("says what was understood: rows, columns, classes, ten examples, warnings", async () => {
    const config = put(
      join(folder, "i.yaml"),
      `data: { set: csv, path: ${iris}, label: species }\nlayers: [{ outputs: 8 }, { outputs: 3 }]\nrun: { epochs: 1 }\n`,
    );
    const { code, out } = await unlocked("data", config, "--set", "data.heldOut=0.1");
    expect(code).toBe(0);
    expect(out).toContain("135 rows to train on, 15 held out");
    expect(out).toMatch(/petal_width: a number, mean [\d.]+, deviation [\d.]+/);
    expect(out).toMatch(/setosa: [\d.]+ % of the training rows/);
    expect(out.match(/→/g)).toHaveLength(10);
    expect(out).toContain("only 15 rows are held out");
    // Its examples are rows of the file.
    const [, length, name] = /sepal_length ([\d.]+), .*→\s+(\w+)/.exec(out)!;
    const rows = irisLike(150).split("\n");
    expect(rows.some((row) => row.startsWith(Number(length).toString()) && row.endsWith(name!))).toBe(true);
  });

  it("warns of columns and classes that say nothing", async () => {
    const rows = Array.from(
      { length: 200 },
      (_, row) => `${row},7,${row === 3 ? "rare" : row % 2 ? "a" : "b"}`,
    );
    const path = put(join(folder, "w.csv"), `x,same,y\n${rows.join("\n")}\n`);
    const config = put(
      join(folder, "w.yaml"),
      `data: { set: csv, path: ${path}, label: y, test: ${path} }\nlayers: [{ outputs: 8 }, { outputs: 3 }]\nrun: { epochs: 1 }\n`,
    );
    const { out } = await unlocked("data", config);
    expect(out).toContain("same is the same in every training row");
    expect(out).toContain("rare is rare: 0.5 % of the training rows");
  });
});
