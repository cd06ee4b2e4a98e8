import { describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { readConfig } from "../../shared/config/read-config.ts";

const read = (text: string, ...overrides: string[]) => readConfig(text, "x.yaml", overrides).config;

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
      'layers.1.kind is "conv": it cannot be the head, which gives labels: dense can',
    ],
    [
      "[{kind: conv, channels: 4, outputs: 5}, {outputs: 10}]",
      "layers.0.outputs is unknown: known here: kind, channels, kernel, stride, padding, nonlinearity, batchNorm, method",
    ],
    [
      "[{kind: pool}, {outputs: 10}]",
      'layers.0.kind is "pool": expected a map with kind: dense, conv, embedding, block or readout, or the path of a module (./….ts)',
    ],
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
