import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/read-config.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import { shapesOf } from "../../shared/math/parameter.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { adam, classes, drawn, learningOf, networkOf } from "./network.ts";

const kernels = plainKernels();
const run = { batchSize: 4, batches: 10 };

describe("buildLayer", () => {
  it.each([
    ["dni", ["decoupled", "decoupled", "head"]],
    ["cdni", ["decoupled", "decoupled", "head"]],
    ["frozen", ["decoupled", "decoupled", "head"]],
    ["backprop", ["locked", "locked", "head"]],
  ] as const)("builds for %s", (method, kinds) => {
    const network = networkOf([2, 5, 4, 3], { run, learning: learningOf({ method }) });
    expect([1, 2, 3].map((number) => buildLayer(kernels, network, number).kind)).toEqual(kinds);
  });

  it("takes the label width from the head and the network's input from layer 1", () => {
    const generator = { ...adam(0.1), evidence: ["labels", "input"] } as const;
    const network = networkOf([2, 5, 4, 3], { run, learning: learningOf({ generator }) });
    const layer = buildLayer(kernels, network, 2);
    expect(layer).toMatchObject({ evidenceWidths: { output: 4, labels: 1, input: 2 } });
    expect(layer.state().tensors["generator.weight"]).toHaveLength((3 + 2) * 4);
  });

  it("draws each layer differently, and each again alike", () => {
    const network = networkOf([4, 4, 4, 4], { run });
    const weight = (number: number) => buildLayer(kernels, network, number).state().tensors["layer.weight"];
    expect(weight(2)).toEqual(weight(2));
    expect(weight(2)).not.toEqual(weight(1));
  });

  it("takes the configs we ship as they are", () => {
    for (const name of ["two-rings", "binary-addition"]) {
      const { config } = loadConfig(`configs/${name}.yaml`);
      const { inputs, outputs } = config.layers[0]!;
      const { tensors } = buildLayer(kernels, config, 1).state();
      expect(tensors["layer.weight"]).toHaveLength(inputs * outputs);
      expect(buildLayer(kernels, config, config.layers.length).kind).toBe("head");
    }
  });

  it("knows the shape of what it learns, and of what its optimizers remember of it", () => {
    const shapes = (file: string, layer: number) =>
      shapesOf(buildLayer(kernels, loadConfig(file, ["run.batchSize=2"]).config, layer).state().tensors);
    expect(shapes("configs/two-rings.yaml", 1)).toMatchObject({
      "layer.weight": [2, 4],
      "optimizer.layer.weight.firstMoment": [2, 4],
      "optimizer.layer.weight.secondMoment": [2, 4],
    });
    expect(shapes("configs/paper/conv/conv3-backprop.yaml", 2)).toMatchObject({
      "layer.weight": [5, 5, 16, 32],
    });
    expect(shapes("configs/gpt/tiny.yaml", 2)).toMatchObject({ "layer.feedForward.expand": [32, 128] });
  });

  it("has every layer but the first work out what its predecessor should hear", () => {
    const network = networkOf([2, 5, 4, 3], { run });
    const example = { rows: 4, input: drawn(4 * 5, 1), labels: classes(4, 3) };
    const heard = [1, 2, 3].map((number) => {
      const layer = buildLayer(kernels, network, number);
      return "rehearse" in layer ? layer.rehearse(example).inputGradient?.length : undefined;
    });
    expect(heard).toEqual([undefined, 4 * 5, 4 * 4]);
  });

  it("refuses a layer the network does not have", () => {
    const network = networkOf([2, 5, 3], { run });
    expect(() => buildLayer(kernels, network, 3)).toThrow("Cannot build layer 3: the network has 2 layers");
    expect(() => buildLayer(kernels, network, 0)).toThrow("Cannot build layer 0");
  });
});
