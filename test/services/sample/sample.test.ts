import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import type { Checkpoint } from "../../../shared/checkpoint/checkpoint.ts";
import { CheckpointStore } from "../../../shared/checkpoint/store.ts";
import { canonicalYaml } from "../../../shared/config/canonical-yaml.ts";
import { configHash } from "../../../shared/config/hash.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import type { ReferenceChain } from "../../../shared/dni/reference-chain.ts";
import { referenceChain } from "../../../shared/layers/network.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { testEdges } from "../../support/edges.ts";

const ALPHABET = "abcdefg\n";
const folder = mkdtempSync(join(tmpdir(), "unlocked-sample-"));
const text = join(folder, "alphabet.txt");
writeFileSync(text, ALPHABET.repeat(400));

const BATCHES = 60;
const { config } = readConfig(
  `
data: {set: text, path: ${text}, context: 6, windows: 20}
layers: [{kind: embedding, width: 16, heads: 2, depth: 1}, {kind: readout, outputs: 8}]
learning: {method: local, layer: {rate: 0.02, clip: 1}}
run: {batchSize: 16, batches: ${BATCHES}}
`,
  "alphabet.yaml",
  [],
);
const runs = join(folder, "runs");
const run = join(runs, "alphabet-1");

async function save(chain: ReferenceChain, layer: number, cursor: number): Promise<void> {
  const state = join(run, "checkpoints", `layer${layer}`);
  const checkpoint: Checkpoint = {
    ...{ run: "alphabet-1", layer, incarnation: 1, cursor, batches: BATCHES },
    ...{ configHash: configHash(config), finished: cursor === BATCHES - 1 },
    ledger: cursor < 0 ? [] : [[0, cursor]],
    ...chain.states()[layer - 1]!,
  };
  await new CheckpointStore(state).write(checkpoint);
}

async function sample(...options: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["sample", "--runs", runs, ...options], testEdges(said));
  return { code, ...said };
}

beforeAll(async () => {
  for (const layer of [1, 2]) mkdirSync(join(run, "checkpoints", `layer${layer}`), { recursive: true });
  writeFileSync(join(run, "config.yaml"), canonicalYaml(config));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("sample", () => {
  it("refuses a run whose layers have saved nothing of one batch yet", async () => {
    const chain = referenceChain(plainKernels(), config, { staleness: 1 });
    await save(chain, 1, -1);
    const { code, out, err } = await sample();
    expect(code).toBe(78);
    expect(out).toBe("");
    expect(err).toMatch(/^Cannot open the network of alphabet-1: its layers have saved nothing of one batch/);
  });

  it("writes what a run that trains knew when all its layers last saved themselves at one batch", async () => {
    const data = await openDataSet(config.data);
    const chain = referenceChain(plainKernels(), config, { staleness: 1 });
    await save(chain, 2, -1);
    const before = await sample("--prompt", "abcd", "--length", "12", "--temperature", "0");
    expect(before).toMatchObject({ code: 0, err: `alphabet-1 after 0 of ${BATCHES} batches:\n` });
    for (let n = 0; n < BATCHES; n++) {
      chain.train(data.batch(config.seed, n, config.run.batchSize), n);
      if (n === 39) await save(chain, 1, n);
      // Layer 1 is ahead: its newest has no counterpart.
      if (n === 39) await save(chain, 2, n);
      if (n === 49) await save(chain, 1, n);
    }
    const files = readdirSync(join(run, "checkpoints", "layer1"));
    const amid = await sample("--prompt", "abcd", "--length", "12", "--temperature", "0");
    expect(amid.err).toBe(`alphabet-1 after 40 of ${BATCHES} batches:\n`);
    expect(amid.out).not.toBe(before.out);
    expect(readdirSync(join(run, "checkpoints", "layer1")), "it changes nothing").toEqual(files);
    for (const layer of [1, 2]) await save(chain, layer, BATCHES - 1);
    const after = await sample("latest", "--prompt", "abcd", "--length", "12", "--temperature", "0");
    expect(after.err).toBe(`alphabet-1 after ${BATCHES} of ${BATCHES} batches:\n`);
    // Longer than the context: only the last characters count.
    expect(after.out).toBe("abcdefg\nabcdefg\n\n");
  });

  it("writes the same for the same seed, other things for others, and draws only from the likeliest", async () => {
    const hot = ["--prompt", "abc", "--length", "60", "--temperature", "5"];
    const [one, again, other] = [
      await sample(...hot, "--seed", "1"),
      await sample(...hot, "--seed", "1"),
      await sample(...hot, "--seed", "2"),
    ];
    expect(again.out).toBe(one.out);
    expect(other.out).not.toBe(one.out);
    const likeliest = await sample(...hot, "--top-k", "1");
    expect(likeliest.out.startsWith("abcdefg\nabcdefg\n")).toBe(true);
  });

  it.each([
    [["--prompt", "xyz"], /^Cannot go on from the prompt: .*character 0, "x", is not in the vocabulary\n$/],
    [["--prompt", ""], /--prompt is empty/],
    [["--temperature", "-1"], /--temperature is -1, expected a number from 0/],
    [["--temperature", "warm"], /--temperature is warm/],
    [["--top-k", "0"], /--top-k is 0, expected a whole number from 1/],
    [["--length", "none"], /--length is none/],
  ])("refuses %j with code 78, writing nothing", async (options, reason) => {
    const { code, out, err } = await sample(...options);
    expect([code, out]).toEqual([78, ""]);
    expect(err).toMatch(reason);
  });

  it.each([
    ["no text", "{set: two-rings}", "two-rings, expected text"],
    ["windows", "{set: text, characters: ab, window: 3}", "text with a window, expected a context"],
  ])("refuses a run that learns from %s", async (id, data, what) => {
    const { config } = readConfig(
      `data: ${data}\nlayers: [{outputs: 4}, {outputs: 2}]\nrun: {batches: 2}\n`,
      "other.yaml",
      [],
    );
    const name = id.replace(" ", "-");
    mkdirSync(join(runs, name));
    writeFileSync(join(runs, name, "config.yaml"), canonicalYaml(config));
    expect(await sample(name)).toMatchObject({
      code: 78,
      err: `Cannot sample ${name}: it learns from ${what}\n`,
    });
  });
});
