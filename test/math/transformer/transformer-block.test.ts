import { describe, expect, it } from "vitest";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../../shared/math/random.ts";
import { type BlockOptions, TransformerBlock } from "../../../shared/math/transformer/transformer-block.ts";
import { centralDifferences, distance, sum } from "../double-oracle.ts";
import { blockInDouble, type DoubleBlock } from "./double-block.ts";

const rows = 2;
const options: BlockOptions = {
  positions: 3,
  width: 4,
  heads: 2,
  depth: 2,
  maxRows: 3,
  seed: 1,
  layer: 2,
  optimizer: { optimizer: "sgd", momentum: 0 },
};
const floats = rows * options.positions * options.width;

function drawn(length: number, seed: number, deviation = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => deviation * normal(random));
}

/** A block off its small first weights, where a mistake could hide, and the same in double precision. */
function pair(change: Partial<BlockOptions> = {}): { block: TransformerBlock; double: DoubleBlock } {
  const block = new TransformerBlock(plainKernels(), { ...options, ...change });
  for (const [i, tensor] of Object.values(block.tensors()).entries())
    for (const [at, x] of drawn(tensor.length, 50 + i, 0.4).entries()) tensor[at]! += x;
  const tensors = Object.entries(block.tensors()).map(([name, tensor]) => [name, Array.from(tensor)]);
  return { block, double: { ...options, tensors: Object.fromEntries(tensors) } };
}

describe("a transformer block", () => {
  const { block, double } = pair();
  const input = drawn(floats, 2);
  const doubleInput = Array.from(input);
  const outputGradient = drawn(floats, 3);
  /** A loss whose gradient by the output is `outputGradient`. */
  const loss = () => sum(blockInDouble(double, doubleInput, rows).map((x, i) => x * outputGradient[i]!));

  it("computes what the papers say", () => {
    expect(distance(block.forward(input, rows), blockInDouble(double, doubleInput, rows))).toBeLessThan(1e-5);
  });

  it("finds the gradient of its input by differences", () => {
    block.forward(input, rows);
    const gradient = block.backward(outputGradient, rows, true)!;
    expect(distance(gradient, centralDifferences(loss, doubleInput))).toBeLessThan(1e-4);
  });

  it("descends by the mean gradient, over all positions, of each parameter", () => {
    const { block: other } = pair();
    other.forward(input, rows);
    other.backward(outputGradient, rows, false);
    other.descend(1, rows, 1);
    const places = rows * options.positions;
    for (const [name, before] of Object.entries(double.tensors)) {
      const expected = centralDifferences(loss, before).map((gradient, i) => before[i]! - gradient / places);
      expect(distance(other.tensors()[name]!, expected), name).toBeLessThan(1e-4);
    }
    expect(Object.keys(double.tensors)).toHaveLength(6);
  });

  it("lets no position see a later one", () => {
    const changed = input.slice();
    const last = (options.positions - 1) * options.width;
    changed[last]! += 1;
    const before = block.forward(input, 1).slice();
    const after = block.forward(changed, 1);
    expect(distance(after.subarray(0, last), before.subarray(0, last))).toBe(0);
    expect(distance(after, before)).toBeGreaterThan(0.01);
  });

  it("is not disturbed by an evaluation between forward and backward", () => {
    const output = block.forward(input, rows).slice();
    const expected = block.backward(outputGradient, rows, true)!.slice();
    block.forward(input, rows);
    expect(distance(block.evaluate(input, rows), output)).toBe(0);
    block.evaluate(drawn(floats, 9), rows);
    expect(distance(block.backward(outputGradient, rows, true)!, expected)).toBe(0);
  });

  it("clips the mean gradient of all its parameters to one norm", () => {
    const moved = (clip?: number) => {
      const { block: other } = pair(
        clip === undefined ? {} : { optimizer: { optimizer: "sgd", momentum: 0, clip } },
      );
      const before = Object.values(other.tensors()).map((tensor) => tensor.slice());
      other.forward(input, rows);
      other.backward(outputGradient, rows, false);
      other.descend(1, rows, 1);
      const steps = Object.values(other.tensors()).map((tensor, i) =>
        tensor.map((x, at) => x - before[i]![at]!),
      );
      return Math.sqrt(sum(steps.map((step) => sum(Array.from(step, (x) => x * x)))));
    };
    expect(moved()).toBeGreaterThan(0.5);
    expect(moved(0.1)).toBeCloseTo(0.1, 5);
    expect(moved(1000)).toBeCloseTo(moved(), 5);
  });

  it("decays matrices, and no gain", () => {
    const { block: other } = pair({ optimizer: { optimizer: "sgd", momentum: 0, decay: 0.5 } });
    const before = Object.entries(other.tensors()).map(([name, tensor]) => [name, tensor.slice()] as const);
    other.forward(input, rows);
    other.backward(new Float32Array(floats), rows, false);
    other.descend(0.1, rows, 1);
    for (const [name, old] of before) {
      const kept = name.endsWith("gamma") ? 1 : 0.95;
      expect(
        distance(
          other.tensors()[name]!,
          old.map((x) => x * kept),
        ),
        name,
      ).toBeLessThan(1e-6);
    }
  });

  it("refuses more rows than it has room for, and a backward without its forward", () => {
    expect(() => block.forward(drawn(4 * 12, 1), 4)).toThrow(
      "Cannot go forward: 4 rows, this layer takes 1 to 3",
    );
    block.forward(input, 1);
    expect(() => block.backward(outputGradient, 2, true)).toThrow(
      "Cannot go backward: 2 rows, the last forward had 1",
    );
  });
});
