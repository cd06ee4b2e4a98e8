import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataSet } from "../../shared/data/open-data-set.ts";
import { canonicalYaml } from "../../shared/run/canonical-yaml.ts";
import type { Config, DataConfig } from "../../shared/run/config.ts";
import { configHash } from "../../shared/run/config-hash.ts";
import { batchesPerEpoch, dataFacts } from "../../shared/run/data-facts.ts";
import { ConfigError, loadConfig, readConfig } from "../../shared/run/read-config.ts";

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
      link: { heartbeatMs: 800, handshakeMs: 5000, backoffMs: { first: 50, most: 1000 } },
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
    expect(read(shortest, "delivery.schedule={staleness: 3}").delivery.window).toBe(4);
    expect(read(shortest, "delivery.schedule={staleness: 9}").delivery.window).toBe(9);
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

  it("reads only the data set's facts, which are those of the data set", () => {
    const sets: DataConfig[] = [
      { set: "mnist" },
      { set: "binary-addition", bits: 5, heldOut: 3 },
      { set: "binary-addition", bits: 5, heldOut: 3, pairs: 100 },
      { set: "two-rings", noise: 0.1, heldOut: 3 },
    ];
    for (const config of sets) {
      const { inputWidth, labelWidth, inputType, judged } = openDataSet(config);
      expect(dataFacts(config)).toMatchObject({ inputWidth, labelWidth, inputType, judged });
      for (const size of [1, 64, 256, 7]) {
        expect(batchesPerEpoch(config, size)).toBe(openDataSetOnce(config).batchesPerEpoch(size));
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
    expect(mistakesOf(shortest, "__proto__.seed=9")[0]).toMatch("--set __proto__.seed: __proto__ is unknown");
    expect(({} as Record<string, unknown>).seed).toBeUndefined();
  });
});

describe("a canonical config file", () => {
  it.each([
    [],
    ["learning.method=dni", "seed=4294967296"],
    ["learning.method=backprop"],
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

describe("a mistake in a config", () => {
  it("is listed with all others, in the order of the file, overrides last", () => {
    const text = [
      "nam: x",
      "seed: -1",
      "data: {set: mnist}",
      "layers:",
      "  - outputs: 256",
      "  - { inputs: 128, outputs: 9 }",
      "learning:",
      "  layer:",
      "    rate: fast",
      "    optimiser: sgd",
      "run:",
      "  epochs: 5",
      "link:",
    ].join("\n");
    expect(mistakesOf(text, "wire.dtype=f64", "learning.x=1")).toEqual([
      "x.yaml:1:1: nam is unknown: did you mean name?",
      "x.yaml:2:1: seed is -1: expected a whole number from 0",
      "x.yaml:6:7: layers.1.inputs is 128: layer 2 takes 128 inputs, layer 1 gives 256",
      "x.yaml:6:20: layers.1.outputs is 9: the head gives 9 outputs, the labels of mnist are 10 classes",
      'x.yaml:9:5: learning.layer.rate is "fast": expected a number above 0',
      "x.yaml:10:5: learning.layer.optimiser is unknown: did you mean optimizer?",
      "x.yaml:13:1: link is empty: expected a map",
      '--set wire.dtype: wire.dtype is "f64": expected f32, f16, bf16 or i8',
      "--set learning.x: learning.x is unknown: known here: method, mixture, updateProbability, layer, generator, inputGenerator",
    ]);
  });

  it("is the whole message of one error", () => {
    expect(() => readConfig("seed: 1.5\n", "c/x.yaml")).toThrow(
      new ConfigError("c/x.yaml", [
        "c/x.yaml:1:1: seed is 1.5: expected a whole number from 0",
        "c/x.yaml:1:1: data is missing: expected a map with set: mnist, idx, cifar-10, binary-addition or two-rings",
        "c/x.yaml:1:1: layers is missing: expected a list of layers, the first layer first",
      ]),
    );
    expect(new ConfigError("f", ["one", "two"]).message).toBe("Cannot use f:\n  one\n  two");
  });

  it.each<[string, string[], string]>([
    [
      "a mixture with nothing",
      ["learning={method: backprop, mixture: 0.5}"],
      "learning.mixture is 0.5: backprop makes no guesses to mix with, dni and cdni do",
    ],
    [
      "a gradient that may not come",
      ["learning.updateProbability=0.5", "layers.0.method=backprop"],
      "learning.updateProbability is 0.5: layer 1 waits for every gradient, and would not get them all",
    ],
    [
      "a head that is to guess",
      ["layers.1.method=local"],
      'layers.1.method is "local": the head has the loss',
    ],
    [
      "a classifier that may not look",
      ["learning={method: dni, generator: {form: classifying}}"],
      'learning.generator.form is "classifying": it looks at output and labels, and at nothing else, and has no hidden layers',
    ],
    [
      "inputs to guess for layers that wait",
      ["learning={method: backprop, inputGenerator: {rate: 0.1, hidden: []}}"],
      "learning.inputGenerator is a map: layer 1 waits for its gradient; inputs are guessed for dni, cdni and frozen, without a mixture",
    ],
    [
      "inputs to guess for layers with a loss",
      ["learning.inputGenerator={rate: 0.1, hidden: []}", "layers.0.method=local"],
      "learning.inputGenerator is a map: layer 1 has a loss of its own; inputs are guessed for dni, cdni and frozen, without a mixture",
    ],
    [
      "another way to guess inputs",
      ["learning.inputGenerator=linear"],
      'learning.inputGenerator is "linear": expected none or {rate: …, hidden: […]}',
    ],
    [
      "nothing to normalise",
      ["learning.generator.batchNorm=true"],
      "learning.generator.batchNorm is true: a linear generator has nothing to normalise, hidden has no layers",
    ],
    ["another type", ["seed=[1]"], "seed is a list: expected a whole number from 0"],
    ["no number", ["learning.layer.rate=.nan"], "learning.layer.rate is NaN: expected a number above 0"],
    [
      "an infinite one",
      ["learning.layer.rate=.inf"],
      "learning.layer.rate is Infinity: expected a number above 0",
    ],
    [
      "a map for a word",
      ["name={}"],
      "name is a map: expected letters, digits, dots, dashes or underscores, a letter or digit first",
    ],
    ["a word for a map", ["run=long"], 'run is "long": expected a map'],
    [
      "another word",
      ["loss=softmax"],
      'loss is "softmax": expected softmax-cross-entropy, sigmoid-cross-entropy or mean-squared-error',
    ],
    [
      "no such set",
      ["data={set: mnits}"],
      'data.set is "mnits": expected a map with set: mnist, idx, cifar-10, binary-addition or two-rings',
    ],
    ["no layers", ["layers=[]"], "layers is a list: expected a list of layers, the first layer first"],
    [
      "neither word nor map",
      ["delivery.schedule=fixed"],
      'delivery.schedule is "fixed": expected free or {staleness: …}',
    ],
    [
      "staleness 0",
      ["delivery.schedule={staleness: 0}"],
      "delivery.schedule.staleness is 0: expected a whole number from 1",
    ],
    [
      "no number for staleness",
      ["delivery.schedule={staleness: fast}"],
      'delivery.schedule.staleness is "fast": expected a whole number from 1',
    ],
    [
      "the name of something inherited",
      ["constructor.name=x"],
      "--set constructor.name: constructor is unknown",
    ],
    [
      "a misspelt staleness",
      ["delivery.schedule={staleness: 1, stalenes: 1}"],
      "delivery.schedule.stalenes is unknown: did you mean staleness?",
    ],
    [
      "a loss for bits",
      ["loss=sigmoid-cross-entropy"],
      'loss is "sigmoid-cross-entropy": the labels of two-rings are classes, which take softmax-cross-entropy or mean-squared-error',
    ],
    [
      "a first layer too wide",
      ["layers.0.inputs=3"],
      "layers.0.inputs is 3: layer 1 takes 3 inputs, two-rings gives 2",
    ],
    [
      "two nonlinearities",
      ["layers.1.nonlinearity=sigmoid"],
      'layers.1.nonlinearity is "sigmoid": softmax-cross-entropy has its own nonlinearity, the head\'s must be identity',
    ],
    [
      "labels for the blind",
      ["learning={method: dni, generator: {evidence: [output, labels]}}"],
      'learning.generator.evidence.1 is "labels": dni is blind to labels, with them it is cdni',
    ],
    [
      "no labels for cdni",
      ["learning.generator.evidence=[output]"],
      "learning.generator.evidence is a list: cdni is conditioned on labels, without them it is dni",
    ],
    [
      "evidence twice",
      ["learning.generator.evidence=[labels, labels]"],
      'learning.generator.evidence.1 is "labels": it is there already',
    ],
    [
      "momentum in Adam",
      ["learning.layer.momentum=0.9"],
      "learning.layer.momentum is 0.9: adam has none, only sgd has",
    ],
    [
      "a window for backprop",
      ["learning.method=backprop", "delivery.window=4"],
      "delivery.window is 4: backprop waits for every gradient, its window is 1",
    ],
    [
      "staleness for backprop",
      ["learning.method=backprop", "delivery.schedule={staleness: 2}"],
      "delivery.schedule.staleness is 2: backprop waits for every gradient, its staleness is 1",
    ],
    [
      "a window below the staleness",
      ["delivery={window: 3, schedule: {staleness: 4}}"],
      "delivery.window is 3: a staleness of 4 needs as many unanswered activations",
    ],
    [
      "epochs of a stream",
      ["run={epochs: 3}"],
      "run.epochs is 3: two-rings is an endless stream, say how many batches instead",
    ],
    [
      "an evaluation each epoch of a stream",
      ["run.evaluateEvery=epoch"],
      'run.evaluateEvery is "epoch": two-rings is an endless stream, say a number of batches instead',
    ],
    ["no length", ["run={}"], "run.batches is missing: say how long the run is, in batches"],
    [
      "two lengths",
      ["data={set: mnist}", "layers=[{outputs: 10}]", "run={epochs: 1, batches: 2}"],
      "run.epochs is 1: run.batches is 2 as well, expected one of the two",
    ],
    [
      "too many held out",
      ["data={set: binary-addition, bits: 3}", "layers=[{outputs: 4}]"],
      "data.heldOut is 2000: of 64 pairs of 3-bit numbers at most half can be held out, 32",
    ],
    [
      "a shrinking backoff",
      ["link.backoffMs.most=10"],
      "link.backoffMs.most is 10: link.backoffMs.first is 50, expected no less",
    ],
    ["no such layer", ["layers.2.outputs=3"], "layers has entries 0 to 1, there is no 2"],
    [
      "a key of a number",
      ["layers.0.outputs.x=3"],
      "--set layers.0.outputs.x: layers.0.outputs is 8, it has no x",
    ],
    ["no value", ["seed"], "expected path=value"],
    ["no YAML", ["seed=[1"], "not YAML: "],
  ])("is told: %s", (_, overrides, told) => {
    const mistakes = mistakesOf(shortest, ...overrides);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(told);
  });

  it("is placed where it stands, also within lists, flow maps and aliases", () => {
    const text = `
data: {set: two-rings}
layers:
  - &hidden
    outputs: 0
  - *hidden
  - { outputs: 2, batchNorm: maybe }
run: { batches: 1000 }
`;
    expect(mistakesOf(text)).toEqual([
      "x.yaml:5:5: layers.0.outputs is 0: expected a whole number from 1 to 65536",
      "x.yaml:5:5: layers.1.outputs is 0: expected a whole number from 1 to 65536",
      'x.yaml:7:19: layers.2.batchNorm is "maybe": expected true or false',
    ]);
  });

  it("in the YAML itself is told with its place", () => {
    expect(mistakesOf("seed: 1\nseed: 2\n")).toEqual(["x.yaml:2:1: not YAML: Map keys must be unique"]);
    expect(mistakesOf("- 1\n- 2")).toEqual(["x.yaml:1:1: the configuration is a list: expected a map"]);
  });

  it("may be that there is no such file", () => {
    const folder = mkdtempSync(join(tmpdir(), "config-"));
    try {
      const file = join(folder, "rings.yaml");
      expect(() => loadConfig(file)).toThrow(new ConfigError(file, ["no such file"]));
      writeFileSync(file, shortest);
      expect(loadConfig(file, ["seed=3"]).config).toMatchObject({ name: "rings", seed: 3 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
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

function mistakesOf(text: string, ...overrides: string[]): readonly string[] {
  try {
    readConfig(text, "x.yaml", overrides);
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes;
    throw cause;
  }
  return [];
}

const opened = new Map<string, ReturnType<typeof openDataSet>>();

function openDataSetOnce(config: DataConfig) {
  const key = JSON.stringify(config);
  const set = opened.get(key) ?? openDataSet(config);
  opened.set(key, set);
  return set;
}

describe("convolutions", () => {
  const images = (layers: string, ...overrides: string[]) =>
    read(`data: {set: mnist}\nrun: {epochs: 1}\nlayers: ${layers}`, ...overrides);
  const two = "[{kind: conv, channels: 4, stride: 2}, {kind: conv, channels: 8, kernel: 3}, {outputs: 10}]";

  it("take the image that comes before, and give one with their own channels", () => {
    const { layers } = images(two);
    expect(layers.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [784, 14 * 14 * 4],
      [14 * 14 * 4, 14 * 14 * 8],
      [14 * 14 * 8, 10],
    ]);
    expect(layers[1]).toMatchObject({
      conv: { shape: { height: 14, width: 14, channels: 4, kernel: 3, stride: 1, padding: 1 }, channels: 8 },
      nonlinearity: "relu",
      batchNorm: true,
    });
    expect(layers[2]).toEqual({ inputs: 1568, outputs: 10, nonlinearity: "identity", batchNorm: false });
  });

  it("say the same again as canonical YAML", () => {
    const config = images(two, "layers.1.padding=0", "layers.0.method=local");
    expect(readConfig(canonicalYaml(config), "x.yaml").config).toEqual(config);
  });

  it.each([
    [
      "[{outputs: 784}, {kind: conv, channels: 4}, {outputs: 10}]",
      'layers.1.kind is "conv": layer 2 takes images, layer 1 gives 784 floats that are none',
    ],
    [
      "[{kind: conv, channels: 4, kernel: 29, padding: 0}, {outputs: 10}]",
      "layers.0.kernel is 29: mnist gives images of 28×28, with padding 0 too small for it",
    ],
    [
      "[{kind: conv, channels: 4, kernel: 3, padding: 3}, {outputs: 10}]",
      "layers.0.padding is 3: a kernel of 3 would see nothing but padding, expected less",
    ],
    [
      "[{kind: conv, channels: 100}, {outputs: 10}]",
      "layers.0.channels is 100: layer 1 would give 78400 floats an example, at most 65536",
    ],
    [
      "[{kind: conv, channels: 4}, {kind: conv, channels: 10, kernel: 28, padding: 0}]",
      'layers.1.kind is "conv": the head is dense: it gives labels, not images',
    ],
    [
      "[{kind: conv, channels: 4, outputs: 5}, {outputs: 10}]",
      "layers.0.outputs is unknown: known here: kind, channels, kernel, stride, padding, nonlinearity, batchNorm, method",
    ],
    ["[{kind: pool}, {outputs: 10}]", "expected a map with outputs, or with kind: conv and channels"],
    ["[{kind: conv}, {outputs: 10}]", "layers.0.channels is missing: expected a whole number from 1 to 4096"],
    ["[{}, {outputs: 10}]", "layers.0.outputs is missing: expected a whole number from 1 to 65536"],
  ])("are refused where they do not fit: %s", (layers, says) => {
    expect(() => images(layers)).toThrow(says);
  });

  it("are refused where the data are no images", () => {
    const layers = "layers: [{kind: conv, channels: 4}, {outputs: 2}]";
    expect(() => read(`data: {set: two-rings}\n${layers}\nrun: {batches: 10}`)).toThrow(
      "layer 1 takes images, two-rings gives 2 floats that are none",
    );
  });

  it("have generators that look at output and labels alone", () => {
    const evidence = "learning.generator.evidence=[output, labels, input]";
    expect(() => images(two, evidence)).toThrow("the generator of layer 1, a convolution, looks at output");
    expect(() => images(two, "learning.generator.evidence=[labels]")).toThrow("the generator of layer 1");
    expect(images(two, evidence, "learning.method=local").learning.method).toBe("local");
  });
});
