import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import type { Comparison } from "../../../services/compare/compare-report.ts";
import { chainOutcome } from "../../support/chain.ts";
import { testEdges } from "../../support/edges.ts";

const RINGS = `
data: { set: two-rings }
layers: [{ outputs: 4 }, { outputs: 4 }, { outputs: 2 }]
learning: { layer: { rate: 0.01 }, generator: { rate: 0.01 } }
run: { batches: 600, evaluateEvery: 200 }
compute: { kernels: wasm }
`;

let folder: string;
let files: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-compare-"));
  files = ["cdni", "frozen"].map((method) => {
    const file = join(folder, `${method}.yaml`);
    writeFileSync(file, RINGS.replace("learning: {", `learning: { method: ${method},`));
    return file;
  });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["compare", ...args], testEdges(said));
  return { code, ...said };
}

function reported(name: string): Comparison {
  return JSON.parse(readFileSync(join(folder, "page", `${name}.json`), "utf8"));
}

describe("compare", () => {
  it("trains every system with every seed, as the reference chain does, and tells and writes what came of it", async () => {
    const page = join(folder, "page.md");
    const { code, out, err } = await run(...files, "--seeds", "2", "--report", page, "--name", "rings");
    expect(code).toBe(0);
    const { systems } = reported("rings");
    expect(systems.map(({ name, trials }) => [name, trials.map(({ seed }) => seed)])).toEqual([
      ["cdni", [1, 2]],
      ["frozen", [1, 2]],
    ]);
    for (const [index, { trials }] of systems.entries()) {
      for (const { seed, curve } of trials) {
        expect(curve.map(({ batch }) => batch)).toEqual([200, 400, 600]);
        const { test } = await chainOutcome(files[index]!, [`seed=${seed}`]);
        expect(curve.at(-1)!.test).toEqual(test);
      }
    }
    const [learnt, frozen] = systems.map(({ trials }) => trials[0]!.health.map(({ error }) => error));
    expect(learnt!.map((error) => error < 1)).toEqual([true, true]);
    // A generator that never learns guesses zero, and asks its predecessor for nothing.
    expect(frozen).toEqual([1]);
    expect(out).toMatch(/^cdni .*\nfrozen /m);
    expect(err).toContain("frozen, seed 2: ");
    expect(readFileSync(page, "utf8")).toContain("| cdni |");
    expect(existsSync(join(folder, "page", "rings.svg"))).toBe(true);
  });

  it("holds guesses against the true gradient where asked to, which only what is in one process can", async () => {
    const args = [files[0]!, "--seeds", "1", "--report", join(folder, "page.md"), "--name", "truth"];
    const plain = await run(...args);
    expect(plain.out).not.toContain("true gradient");
    const without = reported("truth").systems[0]!.trials[0]!;
    const { out } = await run(...args, "--true-gradient");
    expect(out).toContain("to the true gradient: error");
    const { systems, command } = reported("truth");
    expect(command).toContain("--true-gradient");
    const { truth, health, curve } = systems[0]!.trials[0]!;
    expect(truth!.map(({ layer }) => layer)).toEqual([1, 2]);
    for (const { error, cosine } of truth!) {
      expect(error).toBeLessThan(1);
      expect(cosine).toBeGreaterThan(0.5);
    }
    // To look changes nothing.
    expect({ health, curve }).toEqual({ health: without.health, curve: without.curve });

    const { code, err } = await run(...args, "--true-gradient", "--services");
    expect([code, err]).toEqual([
      78,
      expect.stringContaining("--true-gradient needs all layers in one process"),
    ]);
  });

  it("changes every config alike where told to", async () => {
    const args = [
      "--seeds",
      "1",
      "--set",
      "run.batches=7",
      "--report",
      join(folder, "page.md"),
      "--name",
      "x",
    ];
    await run(...files, ...args);
    expect(reported("x").systems.map(({ batches }) => batches)).toEqual([7, 7]);
    expect(reported("x").command).toContain("--set run.batches=7 --seeds 1");
  });

  it("trains a system that guesses its inputs, which in evaluations are real", async () => {
    const guess = "learning.inputGenerator={rate: 0.01, hidden: [16]}";
    const { code } = await run(
      files[0]!,
      ...["--seeds", "1", "--set", guess, "--report", join(folder, "page.md"), "--name", "x"],
    );
    expect(code).toBe(0);
    const { systems } = reported("x");
    expect(systems[0]!.trials[0]!.curve.at(-1)!.test.error).toBeLessThan(0.2);
  });

  it("gives up a system whose numbers run away, and says so", async () => {
    const { code, out } = await run(
      files[0]!,
      ...["--seeds", "1", "--set", "layers.0.batchNorm=false", "--set", "layers.1.batchNorm=false"],
      ...["--set", "learning.layer={optimizer: sgd, rate: 1e30}"],
    );
    expect(code).toBe(0);
    expect(out).toContain("(1 of 1 ran away)");
  });

  it.each([
    [["--seeds", "0"], "Cannot compare: --seeds is 0, expected a whole number from 1"],
    [["--bar", "95"], "Cannot compare: --bar is 95, expected a share above 0, at most 1"],
    [
      ["--name", "a b"],
      "Cannot compare: --name is a b, expected letters, digits, dots, dashes or underscores",
    ],
    [["--set", "run.batches=0"], "run.batches is 0: expected a whole number from 1"],
  ])("refuses %j before it begins", async (args, words) => {
    const { code, err, out } = await run(...files, ...args);
    expect({ code, out }).toEqual({ code: 78, out: "" });
    expect(err).toContain(words);
  });

  it("refuses to compare what learnt from different data", async () => {
    const other = join(folder, "other.yaml");
    writeFileSync(other, RINGS.replace("two-rings }", "two-rings, noise: 0.2 }"));
    const { code, err } = await run(files[0]!, other);
    expect(code).toBe(78);
    expect(err).toContain('"noise":0.1');
    expect(err).toContain('"noise":0.2');
  });
});
