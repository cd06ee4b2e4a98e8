import { expect, it } from "vitest";
import { openDataSet } from "../../shared/data/kinds.ts";
import { labelForm } from "../../shared/data/labels.ts";
import { ChainExamples } from "../../shared/dni/chain-batch.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { networkOf } from "../dni/network.ts";

const rings = { set: "two-rings", noise: 0.1, heldOut: 10 };

it("a loss that takes bits is given classes one-hot, one that takes classes their numbers", async () => {
  const numbers = (await openDataSet(rings, "softmax-cross-entropy")).batch(1, 0, 20);
  const bits = await openDataSet(rings, "mean-squared-error");
  const hot = bits.batch(1, 0, 20);
  expect(hot.input).toEqual(numbers.input);
  expect([...hot.labels]).toEqual([...numbers.labels].flatMap((label) => (label === 0 ? [1, 0] : [0, 1])));
  expect(new Set(numbers.labels)).toEqual(new Set([0, 1]));
  expect(bits.evaluationPart(0, 4).labels).toHaveLength(8);
  const addition = { set: "binary-addition", bits: 3, heldOut: 3 };
  const [one, other] = [await openDataSet(addition, "mean-squared-error"), await openDataSet(addition)];
  expect(one.batch(1, 0, 5)).toEqual(other.batch(1, 0, 5));
});

it("classes are a number for each position, in two bytes where one does not tell them apart", () => {
  const sequence = { positions: 8, vocabulary: 257 };
  expect(labelForm({ judged: "class", labelWidth: 256 })).toEqual({ count: 1, type: "u8" });
  expect(labelForm({ judged: "class", labelWidth: 8 * 257, sequence })).toEqual({ count: 8, type: "u16" });
  expect(labelForm({ judged: "bits", labelWidth: 9 })).toEqual({ count: 9, type: "u8" });
  expect(labelForm({ judged: "values", labelWidth: 2 })).toEqual({ count: 2, type: "f32" });
});

it("a class that the network has no output for is refused, not learnt as another", () => {
  const network = networkOf([2, 3, 2], { run: { batchSize: 4, batches: 1 } });
  const examples = new ChainExamples(plainKernels(), network, 1);
  const batch = { rows: 2, input: new Float32Array(4), labels: Uint8Array.of(1, 2) };
  expect(() => examples.of(batch)).toThrow("Cannot take labels: 2 is none of 2 classes");
});
