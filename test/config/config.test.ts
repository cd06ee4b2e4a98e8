import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import type { Config, DataConfig } from "../../shared/config/config.ts";
import { batchesPerEpoch, dataFacts } from "../../shared/config/data-facts.ts";
import { configHash } from "../../shared/config/hash.ts";
import { loadConfig, readConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { labelForm } from "../../shared/data/labels.ts";

const shortest = `
data: {set: two-rings}
layers: [{outputs: 8}, {outputs: 2}]
run: {batches: 1000}
`;

const CONFIGS = readdirSync("configs", { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".yaml"),
);

const read = (text: string, ...overrides: string[]) => readConfig(text, "x.yaml", overrides).config;

describe("a config", () => {
  it("may be three lines long", () => {
    expect(read(shortest)).toEqual({
      name: "x",
      seed: 0,
      data: { set: "two-rings", noise: 0.1, heldOut: 1000 },
      layers: [
        { inputs: 2, outputs: 8, nonlinearity: "relu", batchNorm: true },
        { inputs: 8, outputs: 2, nonlinearity: "identity", batchNorm: false },
      ],
      loss: "softmax-cross-entropy",
      learning: {
        method: "cdni",
        layer: { optimizer: "adam", rate: 0.003, momentum: 0, schedule: { kind: "cosine" } },
        generator: {
          optimizer: "adam",
          rate: 0.001,
          momentum: 0,
          schedule: { kind: "cosine" },
          evidence: ["output", "labels"],
          form: "classifying",
        },
      },
      run: { batchSize: 64, batches: 1000, evaluateEvery: 100, checkpointEvery: 200, snapshotEvery: 100 },
      delivery: { window: 4, schedule: "free", stalenessBudget: 64 },
      wire: { dtype: "f32" },
      link: { heartbeatMs: 800, handshakeMs: 5000, backoffMs: { first: 50, most: 250 } },
      compute: { kernels: "auto" },
    } satisfies Config);
  });

  it("says nothing of an augmentation that changes no image", () => {
    const digits = "data: {set: mnist}\nlayers: [{outputs: 10}]\nrun: {epochs: 1}";
    const hash = (...overrides: string[]) => configHash(read(digits, ...overrides));
    expect(hash("data.augment={shift: 0, mirror: false}")).toBe(hash());
    expect(hash("data.augment={shift: 1}")).not.toBe(hash());
  });

  it("says of how layers learn only what is not the rule", () => {
    const plain = read(shortest);
    const rule = ["learning.mixture=0", "learning.updateProbability=1", "learning.generator.hidden=[]"];
    expect(configHash(read(shortest, ...rule, "learning.inputGenerator=none"))).toBe(configHash(plain));
    const other = read(shortest, "learning.generator.hidden=[7]", "layers.0.method=local");
    expect(other.learning.generator).toMatchObject({ hidden: [7], batchNorm: true });
    expect(other.layers.map(({ method }) => method)).toEqual(["local", undefined]);
  });

  it("has a window of 1 where layers wait for the gradient to mix it with their guess", () => {
    expect(read(shortest, "learning.mixture=0.5").delivery.window).toBe(1);
  });

  it("counts epochs in batches, short ones included, and evaluates after each", () => {
    const { run } = read("data: {set: mnist}\nlayers: [{outputs: 10}]\nrun: {epochs: 5}");
    expect(run).toMatchObject({ batches: 5 * 938, evaluateEvery: 938, snapshotEvery: 938 });
  });

  it.each([
    ["dni", "generators are blind to labels", ["output"]],
    ["cdni", "generators see labels", ["output", "labels"]],
    ["backprop", "nothing else is said", ["output", "labels"]],
    ["frozen", "nothing else is said", ["output", "labels"]],
  ])("under %s: %s", (method, _, evidence) => {
    expect(read(shortest, `learning.method=${method}`).learning.generator.evidence).toEqual(evidence);
  });

  it.each([
    ["classifying", "output and labels", "learning.generator.evidence=[labels, output]"],
    ["linear", "output alone", "learning.method=dni"],
    ["linear", "labels alone", "learning.generator.evidence=[labels]"],
    ["linear", "the input as well", "learning.generator.evidence=[output, labels, input]"],
    ["linear", "hidden layers", "learning.generator.hidden=[3]"],
    ["linear", "a word of its own", "learning.generator.form=linear"],
  ])("makes a generator %s with %s", (form, _, override) => {
    expect(read(shortest, override).learning.generator.form).toBe(form);
  });

  it("has a window of 1 under backprop, and one that holds the staleness where that is pinned", () => {
    expect(read(shortest, "learning.method=backprop").delivery.window).toBe(1);
    expect(
      read(shortest, "learning.method=backprop", "delivery.schedule={staleness: 3}").delivery.window,
    ).toBe(3);
    expect(read(shortest, "delivery.schedule={staleness: 3}").delivery.window).toBe(4);
    expect(read(shortest, "delivery.schedule={staleness: 9}").delivery.window).toBe(9);
  });

  it("lets gradients of backprop come late where its window is above 1, through stashed weights", () => {
    expect(read(shortest, "learning.method=backprop").learning.late).toBeUndefined();
    const wide = ["learning.method=backprop", "delivery.window=2"];
    expect(read(shortest, ...wide).learning.late).toEqual({ weights: "stashed" });
    const late = { weights: "present", slowFor: 5 };
    expect(read(shortest, ...wide, "learning.late={weights: present, slowFor: 5}").learning.late).toEqual(
      late,
    );
  });

  it("lets generators follow the layers' schedule unless they have their own", () => {
    const step = { kind: "step", at: [10, 20], factor: 0.1 };
    const stepped = read(
      shortest,
      "learning.layer.schedule={kind: step, at: [10, 20], factor: 0.1}",
    ).learning;
    expect([stepped.layer.schedule, stepped.generator.schedule]).toEqual([step, step]);
    const own = read(shortest, "learning.generator.schedule=constant").learning;
    expect([own.layer.schedule, own.generator.schedule]).toEqual([{ kind: "cosine" }, { kind: "constant" }]);
  });

  it("reads only the data set's facts, which are those of the data set", async () => {
    const sets: DataConfig[] = [
      { set: "mnist" },
      { set: "binary-addition", bits: 5, heldOut: 3 },
      { set: "binary-addition", bits: 5, heldOut: 3, pairs: 100 },
      { set: "two-rings", noise: 0.1, heldOut: 3 },
    ];
    for (const config of sets) {
      const facts = dataFacts(config);
      const { inputWidth, inputType, trainingExamples } = facts;
      const set = await openDataSet(config);
      for (const size of [1, 64, 256, 7]) {
        const perEpoch = batchesPerEpoch(config, size);
        const last = set.batch(1, (perEpoch ?? 10) - 1, size);
        for (const { rows, input, labels } of [last, set.batch(1, 0, size), set.evaluationPart(0, size)]) {
          expect([input.length, labels.length]).toEqual([rows * inputWidth, rows * labelForm(facts).count]);
          expect(input instanceof Uint8Array ? "u8" : "f32").toBe(inputType);
        }
        const expected = trainingExamples === undefined ? size : trainingExamples - (perEpoch! - 1) * size;
        expect(last.rows).toBe(expected);
      }
    }
  });

  it.each(CONFIGS)("configs/%s is without mistake or doubt", (file) => {
    expect(loadConfig(`configs/${file}`).warnings).toEqual([]);
  });

  it("is named for its file, in words that a folder's name can hold", () => {
    expect(readConfig(shortest, "some/where/my rings.v2.yaml").config.name).toBe("my-rings.v2");
  });
});

describe("an override", () => {
  it("replaces entries of maps and lists, with any YAML, the last one winning", () => {
    const config = read(
      shortest,
      "layers.0.outputs=5",
      "seed=1",
      "seed=2",
      "data={set: two-rings, noise: 0}",
    );
    expect(config.layers.map(({ outputs }) => outputs)).toEqual([5, 2]);
    expect([config.seed, config.data]).toEqual([2, { set: "two-rings", noise: 0, heldOut: 1000 }]);
  });

  it("of the length in batches replaces one in epochs, and the other way round", () => {
    const text = "data: {set: mnist}\nlayers: [{outputs: 10}]\nrun: {epochs: 5}";
    expect(read(text, "run.batches=7").run.batches).toBe(7);
    expect(read(text, "run.batches=7", "run.epochs=2").run.batches).toBe(2 * 938);
  });

  it("does not change what other maps inherit", () => {
    expect(() => read(shortest, "__proto__.seed=9")).toThrow("--set __proto__.seed: __proto__ is unknown");
    expect(({} as Record<string, unknown>).seed).toBeUndefined();
  });
});

describe("a canonical config file", () => {
  it.each([
    [],
    ["learning.method=dni", "seed=4294967296"],
    ["learning.method=backprop"],
    [
      "learning={method: backprop, late: {slowFor: 3}, layer: {optimizer: nadam, beta1: 0.99}}",
      "delivery.window=3",
    ],
    ["learning.generator.form=linear"],
    ["learning={mixture: 0.25, generator: {hidden: [5, 6], batchNorm: false}}", "layers.0.method=local"],
    ["learning.inputGenerator={rate: 0.1, hidden: [7]}"],
    ["data={set: mnist, augment: {shift: 2}}", "layers.1.outputs=10"],
    ["data={set: cifar-10, path: /x, augment: {mirror: true}}", "layers.1.outputs=10"],
    ["learning={updateProbability: 0.2, generator: {evidence: [normalisedOutput, labels]}}"],
    [
      "learning.layer={optimizer: sgd, momentum: 0.9, rate: 1e-7, schedule: {kind: step, at: [3], factor: 0.5}}",
    ],
    ["delivery={schedule: {staleness: 16}, window: 20}", "name='0x10'"],
  ])("loads back to the same config, with %s", (...overrides) => {
    const config = read(shortest, ...overrides);
    expect(readConfig(canonicalYaml(config), "elsewhere/y.yaml").config).toEqual(config);
  });

  it("does so for every config in the folder", () => {
    for (const file of CONFIGS) {
      const { config } = loadConfig(`configs/${file}`);
      expect(readConfig(canonicalYaml(config), "y.yaml").config).toEqual(config);
    }
  });
});

describe("a config's hash", () => {
  const hash = (...overrides: string[]) => configHash(read(shortest, ...overrides));

  it("is SHA-256 in hex and does not mind the order of keys", () => {
    const config = read(shortest);
    const backwards = Object.fromEntries(Object.entries(config).reverse()) as unknown as Config;
    expect(configHash(config)).toMatch(/^[0-9a-f]{64}$/);
    expect(configHash(backwards)).toBe(configHash(config));
  });

  it.each(["name=z", "link.heartbeatMs=7", "run.checkpointEvery=7", "compute.kernels=plain"])(
    "leaves to each neighbour: %s",
    (override) => expect(hash(override)).toBe(hash()),
  );

  it.each([
    "seed=1",
    "data.noise=0.2",
    "layers.0.outputs=9",
    "layers.0.nonlinearity=tanh",
    "loss=mean-squared-error",
    "learning.method=frozen",
    "learning.generator.rate=0.002",
    "run.batches=1001",
    "run.batchSize=65",
    "run.evaluateEvery=99",
    "delivery.window=5",
  ])("tells apart: %s", (override) => expect(hash(override)).not.toBe(hash()));
});

describe("a doubt about a config", () => {
  const warningsOf = (...overrides: string[]) => readConfig(shortest, "x.yaml", overrides).warnings;

  it("is told of small batches under batch normalisation, and of none without it", () => {
    expect(warningsOf("run.batchSize=49")).toEqual([
      "--set run.batchSize: run.batchSize is 49: batch normalisation knows only its batch, expected 50 or more",
    ]);
    expect(warningsOf("run.batchSize=50")).toEqual([]);
    expect(warningsOf("run.batchSize=49", "layers.0.batchNorm=false")).toEqual([]);
  });

  it("is told of a staleness budget that closes before the window", () => {
    expect(warningsOf("delivery.stalenessBudget=3")).toEqual([
      "--set delivery.stalenessBudget: delivery.stalenessBudget is 3: layers hold before a window of 4 is full",
    ]);
    expect(warningsOf("delivery.stalenessBudget=4")).toEqual([]);
  });
});
