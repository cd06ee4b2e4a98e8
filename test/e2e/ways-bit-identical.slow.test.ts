import { describe, expect, it } from "vitest";
import { BATCHES, bothOutcomes, chainOutcome } from "../support/both-outcomes.ts";

describe("layers that learn in other ways", () => {
  const common = [`run.batches=${BATCHES}`, "run.checkpointEvery=100"];

  it.each([
    [3, ["learning.method=local"]],
    [3, ["layers.0.method=local", "learning.generator.hidden=[16]"]],
    [3, ["layers.1.method=local", "learning.generator.evidence=[normalisedOutput,labels,input]"]],
    [3, ["layers.0.method=backprop"]],
    [3, ["learning.method=backprop"]],
    [2, ["learning={method: backprop, late: {weights: present, slowFor: 50}, layer: {optimizer: nadam}}"]],
    [2, ["learning.method=backprop", "wire.dtype=bf16", "delivery.window=8"]],
    [1, ["learning.mixture=0.5"]],
    [3, ["learning.updateProbability=0.3"]],
    [3, ["learning.generator.form=linear"]],
    [3, ["learning.inputGenerator={rate: 0.01, hidden: [16]}"]],
    [
      1,
      [
        "learning.inputGenerator={rate: 0.01, hidden: []}",
        "learning.generator.evidence=[output,labels,input]",
      ],
    ],
    [2, ["learning.inputGenerator={rate: 0.01, hidden: [16]}", "learning.updateProbability=0.3"]],
    [2, ["learning.inputGenerator={rate: 0.01, hidden: [16]}", "wire.dtype=i8"]],
  ])("come out over processes as in one, bit for bit: staleness %i, %j", async (staleness, other) => {
    const set = [...common, `delivery.schedule={staleness: ${staleness}}`];
    const [found, expected] = await bothOutcomes("configs/binary-addition.yaml", [...set, ...other]);
    expect(found).toEqual(expected);
    // The control: as the config is, they learn something else.
    const plain = await chainOutcome("configs/binary-addition.yaml", set);
    expect(plain.digests[0]).not.toBe(expected.digests[0]);
  });
});

describe("convolutional layers", () => {
  it.each([
    ["cdni", []],
    ["cdni", ["learning.generator.hidden=[8]"]],
    ["local", []],
  ])("come out over processes as in one, bit for bit: %s %j", async (method, other) => {
    const config = `configs/paper/conv/conv4-${method}.yaml`;
    const pinned = "delivery.schedule={staleness: 3}";
    const set = [`run.batches=${BATCHES}`, "run.checkpointEvery=100", pinned, ...other];
    const [found, expected] = await bothOutcomes(config, set);
    expect(found).toEqual(expected);
  });
});

describe.each(["f16", "bf16", "i8"])("activations and gradients that travel as %s", (dtype) => {
  const common = [`run.batches=${BATCHES}`];

  it.each([
    ["configs/binary-addition.yaml", "cdni", 4],
    ["configs/mnist.yaml", "backprop", 1],
  ])("teach the processes of %s with %s what they teach one process, bit for bit", async (...pinned) => {
    const [config, method, staleness] = pinned;
    const schedule = `delivery.schedule={staleness: ${staleness}}`;
    const set = [...common, schedule, `learning.method=${method}`, `wire.dtype=${dtype}`];
    const [found, expected] = await bothOutcomes(config, set);
    expect(found).toEqual(expected);
    // The control: floats teach something else.
    const floats = await chainOutcome(config, [...set, "wire.dtype=f32"]);
    expect(floats.digests[0]).not.toBe(expected.digests[0]);
  });
});
