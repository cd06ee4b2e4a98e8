import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/read-config.ts";
import { BinaryAddition } from "../../shared/data/sets/binary-addition.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { type Signs, TutorialDni } from "../support/tutorial-dni.ts";
import { vanillaScript } from "../support/tutorial-script.ts";

describe("the tutorial's first script", () => {
  const { config } = loadConfig("configs/tutorial/1-backprop.yaml", ["seed=1"]);
  const data = new BinaryAddition(8, 2000, 1000);
  const batches = range(120).map((number) => data.batch(config.seed, number, 10));

  it("and the same network as layer objects come out the same, bit for bit", () => {
    const kernels = plainKernels();
    const chain = referenceChain(kernels, config, { staleness: 1 });
    const live = chain.layers.map((layer) => {
      const { tensors } = layer.state();
      return { weight: tensors["layer.weight"]!, bias: tensors["layer.bias"]! };
    });
    const script = structuredClone(live);
    const before = structuredClone(live);
    vanillaScript(kernels, script, batches, config.learning.layer.rate);
    for (const [number, batch] of batches.entries()) chain.train(batch, number);
    expect(script).toEqual(live);
    expect(script).not.toEqual(before);
  });
});

/** Errors of the generators, and what was learnt, over passes of all examples at once. */
function passesOf(signs: Signs, alpha: number, count: number) {
  const data = new BinaryAddition(7, 100, 200);
  const { input, labels } = data.batch(1, 0, 200);
  const rowsOf = (bytes: ArrayLike<number>, width: number) =>
    range(200).map((row) => Float64Array.from({ length: width }, (_, i) => bytes[row * width + i]!));
  const network = new TutorialDni([14, 32, 16, 8], { alpha, signs, seed: 1 });
  const [x, y] = [rowsOf(input, 14), rowsOf(labels, 8)];
  return range(count).map(() => network.pass(x, y));
}

describe("the signs that the tutorial prints", () => {
  const printed = passesOf("as printed", 0.0005, 400);
  const corrected = passesOf("corrected", 0.0005, 400);
  const errors = (passes: typeof printed, k: number) => passes.map(({ squaredErrors }) => squaredErrors[k]!);

  it.each([0, 1])("make the generator of hidden layer %i + 1 climb its own error without end", (k) => {
    expect(errors(printed, k)[50]! / errors(printed, k)[0]!).toBeGreaterThan(1e6);
    expect(errors(printed, k)[100]! / errors(printed, k)[50]!).toBeGreaterThan(1e6);
  });

  it("learn nothing: every second bit is wrong, as it was", () => {
    expect(printed.at(-1)!.bitsRight).toBeLessThan(0.55);
  });

  it.each([0, 1])("would have to be minus, twice: then the error of generator %i + 1 falls", (k) => {
    expect(errors(corrected, k).at(-1)! / errors(corrected, k)[0]!).toBeLessThan(0.1);
  });
});
