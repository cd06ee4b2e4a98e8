import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig, readConfig } from "../../shared/config/read-config.ts";
import { mistakesOf, shortest } from "./mistakes-of.ts";

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
      "--set learning.x: learning.x is unknown: known here: method, mixture, late, updateProbability, layer, generator, inputGenerator",
    ]);
  });

  it("is the whole message of one error", () => {
    expect(() => readConfig("seed: 1.5\n", "c/x.yaml")).toThrow(
      new ConfigError("c/x.yaml", [
        "c/x.yaml:1:1: seed is 1.5: expected a whole number from 0",
        "c/x.yaml:1:1: data is missing: expected a map with set: mnist, idx, cifar-10, binary-addition, two-rings, text, csv, tsv, npy or images",
        "c/x.yaml:1:1: layers is missing: expected a list of layers, the first layer first",
      ]),
    );
    expect(new ConfigError("f", ["one", "two"]).message).toBe("Cannot use f:\n  one\n  two");
  });

  it.each<[string, string[], string]>([
    ["another type", ["seed=[1]"], "seed is a list: expected a whole number from 0"],
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
      'data.set is "mnits": expected a map with set: mnist, idx, cifar-10, binary-addition, two-rings, text, csv, tsv, npy or images',
    ],
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
    ["no value", ["seed"], "expected path=value"],
    ["no YAML", ["seed=[1"], "not YAML: "],
    ["an alias of nothing", ["seed=*x"], "--set seed: not YAML: Unresolved alias"],
    [
      "a timing that no timer can keep",
      ["link.handshakeMs=3000000000"],
      "link.handshakeMs is 3000000000: expected a whole number from 1 to 500000000",
    ],
    [
      "points so far off that no layer would take them",
      ["data.noise=1e6"],
      "data.noise is 1000000: expected a number from 0 to 1000",
    ],
    [
      "more held out than anybody could evaluate",
      ["data.heldOut=200000000"],
      "data.heldOut is 200000000: expected a whole number from 1 to 1000000",
    ],
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
