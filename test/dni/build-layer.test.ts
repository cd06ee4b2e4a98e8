import { describe, expect, it } from "vitest";
import { buildLayer } from "../../shared/dni/build-layer.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import type { Config } from "../../shared/run/config.ts";
import { adam, learningOf, networkOf } from "./network.ts";

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
    expect(layer).toMatchObject({ evidenceWidths: { output: 4, labels: 3, input: 2 } });
    expect(layer.state().tensors["generator.weight"]).toHaveLength((3 + 2) * 4);
  });

  it("draws each layer differently, and each again alike", () => {
    const network = networkOf([4, 4, 4, 4], { run });
    const weight = (number: number) => buildLayer(kernels, network, number).state().tensors["layer.weight"];
    expect(weight(2)).toEqual(weight(2));
    expect(weight(2)).not.toEqual(weight(1));
  });

  it("takes a run's whole config", () => {
    const build = (config: Config) => buildLayer(kernels, config, 1);
    expect(build).toBeTypeOf("function");
  });

  it("refuses a layer the network does not have", () => {
    const network = networkOf([2, 5, 3], { run });
    expect(() => buildLayer(kernels, network, 3)).toThrow("Cannot build layer 3: the network has 2 layers");
    expect(() => buildLayer(kernels, network, 0)).toThrow("Cannot build layer 0");
  });
});
