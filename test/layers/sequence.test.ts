import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import type { Config } from "../../shared/config/config.ts";
import { readConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { referenceChain, trueGradientProbe } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { drawn } from "../dni/network.ts";

/** Each digit is the sum of the two before it, modulo 5; the last digit alone says little of the next. */
const path = join(mkdtempSync(join(tmpdir(), "unlocked-sequence-")), "sums.txt");
writeFileSync(path, sums(4000));

function sums(length: number): string {
  const digits = [0, 1];
  // Now and then a new start, or all windows would be of one cycle.
  while (digits.length < length)
    digits.push(digits.length % 37 === 0 ? (digits.length * 7) % 5 : (digits.at(-1)! + digits.at(-2)!) % 5);
  return digits.join("");
}

const network = `
data: {set: text, path: ${path}, context: 8, windows: 40}
layers: [{kind: embedding, width: 16, heads: 2, depth: 2}, {kind: block, heads: 2, depth: 2}, {kind: readout, outputs: 5}]
learning: {layer: {rate: 0.01, clip: 1}, generator: {rate: 0.003}}
run: {batchSize: 16, batches: 500}
`;

/** No network can know the second digit of a window from the first: an eighth of the positions, four times in five. */
const BAR = 0.2;

const read = (...overrides: string[]): Config => readConfig(network, "x.yaml", overrides).config;

async function errorOf(config: Config, staleness = 1): Promise<number> {
  const set = await openDataSet(config.data);
  const { seed, run } = config;
  const chain = referenceChain(plainKernels(), config, { staleness });
  for (let n = 0; n < run.batches; n++) chain.train(set.batch(seed, n, run.batchSize), n);
  chain.drain();
  const parts = Array.from({ length: set.evaluationParts(run.batchSize) }, (_, part) =>
    set.evaluationPart(part, run.batchSize),
  );
  return chain.evaluate(parts).error;
}

describe("a network of transformer blocks", () => {
  it.each(["backprop", "local", "cdni"])("learns by %s what the head cannot learn alone", async (method) => {
    expect(await errorOf(read(`learning.method=${method}`))).toBeLessThan(BAR);
  });

  it("learns when targets come eight batches late", async () => {
    expect(await errorOf(read(), 8)).toBeLessThan(BAR);
  });

  it("does not, when its generators never learn", async () => {
    expect(await errorOf(read("learning.method=frozen"))).toBeGreaterThan(0.5);
  });
});

describe("the heads of hidden layers", () => {
  const newChain = (method: string) =>
    referenceChain(plainKernels(), read(`learning.method=${method}`), { staleness: 1 });
  const weightsOf = ({ layers }: ReturnType<typeof newChain>, name: string) =>
    layers.slice(0, -1).map((layer) => layer.state().tensors[name]!);

  it.each([
    ["cdni", "generator.head.weight"],
    ["local", "auxiliary.weight"],
  ])("are drawn as the network's, where layers learn by %s", (method, name) => {
    const chain = newChain(method);
    const head = chain.layers.at(-1)!.state().tensors["layer.weight"]!;
    expect(head.some((weight) => weight !== 0)).toBe(true);
    for (const weights of weightsOf(chain, name)) expect(weights).toEqual(head);
  });

  it("are zero where layers are frozen, and ask for nothing", () => {
    for (const weights of weightsOf(newChain("frozen"), "generator.head.weight"))
      expect(weights.every((weight) => weight === 0)).toBe(true);
  });

  it("ask from the first batch for nearly the true gradient, and do not when drawn otherwise", async () => {
    const config = read();
    const batch = (await openDataSet(config.data)).batch(1, 0, config.run.batchSize);
    const chain = newChain("cdni");
    const cosines = () =>
      trueGradientProbe(plainKernels(), config, chain.layers)
        .look(batch)
        .map(({ health }) => health.cosine);
    expect(Math.min(...cosines())).toBeGreaterThan(0.95);
    for (const weights of weightsOf(chain, "generator.head.weight")) weights.set(drawn(weights.length, 3));
    expect(Math.max(...cosines())).toBeLessThan(0.5);
  });
});

describe("a frozen layer", () => {
  it("stays as drawn, also where the weights of others decay", async () => {
    const config = read("learning.method=frozen", "learning.layer.decay=0.5", "run.batches=5");
    const set = await openDataSet(config.data);
    const chain = referenceChain(plainKernels(), config, { staleness: 1 });
    const weightsOf = (layer: number) => structuredClone(chain.layers[layer]!.state().tensors);
    const before = [weightsOf(0), weightsOf(1), weightsOf(2)];
    for (let n = 0; n < 5; n++) chain.train(set.batch(config.seed, n, 16), n);
    expect([weightsOf(0), weightsOf(1)]).toEqual(before.slice(0, 2));
    expect(weightsOf(2)).not.toEqual(before[2]);
  });
});

describe("a config of sequences", () => {
  it("knows what each layer takes and gives, and that its generators are bent", () => {
    const { layers, learning } = read();
    expect(layers.map(({ inputs, outputs, positions }) => [inputs, outputs, positions])).toEqual([
      [8, 128, 8],
      [128, 128, 8],
      [128, 40, 8],
    ]);
    expect(learning.generator.form).toBe("bent");
  });

  it("says the same again as canonical YAML", () => {
    const config = read(
      "learning.layer.schedule={kind: cosine, warmup: 5, floor: 0.1}",
      "learning.layer.decay=0.1",
    );
    expect(readConfig(canonicalYaml(config), "x.yaml").config).toEqual(config);
  });

  it.each([
    ["layers.0.heads=3", "layers.0.heads is 3: 16 floats a position do not divide into 3 heads"],
    ["layers.1.heads=5", "layers.1.heads is 5: 16 floats a position do not divide into 5 heads"],
    [
      "layers.2.outputs=7",
      "layers.2.outputs is 7: the head gives 7 outputs a position, the labels of text are 5 classes",
    ],
    ["layers.1={kind: embedding, width: 16}", "layer 2 takes sequences of ids, layer 1 gives none"],
    ["layers.0={kind: block, heads: 1}", "layer 1 takes sequences of vectors, text gives none"],
    ["layers.0={outputs: 128}", "layer 2 takes sequences of vectors, layer 1 gives none"],
    ["learning.generator.form=classifying", "generators of sequences are bent"],
    ["layers.0.method=dni", "the generator of layer 1, which gives a sequence, looks at output and labels"],
    ["learning.generator.hidden=[8]", "what guesses for a sequence, or judges it, has no hidden layers"],
    ["layers.2={outputs: 40}", "the labels of text are one for each position: readout gives these"],
    ["learning.method=dni", "the generator of layer 1, which gives a sequence, looks at output and labels"],
  ])("refuses %s", (override, what) => {
    expect(() => read(override)).toThrow(what);
  });
});
