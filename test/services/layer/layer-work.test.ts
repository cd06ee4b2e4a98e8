import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { plainKernels } from "../../../shared/math/plain-kernels.ts";
import type { ActivationFrame, Tensor } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";

const network = {
  seed: 1,
  layers: [
    { inputs: 3, outputs: 4, nonlinearity: "relu", batchNorm: false },
    { inputs: 4, outputs: 4, nonlinearity: "relu", batchNorm: false },
    { inputs: 4, outputs: 2, nonlinearity: "identity", batchNorm: false },
  ],
  loss: "softmax-cross-entropy",
  learning: {
    method: "cdni",
    layer: { optimizer: "sgd", rate: 0.1, momentum: 0, schedule: { kind: "constant" } },
    generator: {
      optimizer: "sgd",
      rate: 0.1,
      momentum: 0,
      schedule: { kind: "constant" },
      evidence: ["output", "labels"],
    },
  },
  run: { batchSize: 2, batches: 10 },
} as const;

function frame(
  values: readonly number[],
  columns: number,
  change: Partial<ActivationFrame> = {},
): ActivationFrame {
  const labels: Tensor = { dtype: "u8", shape: [2, 2], data: new Uint8Array([1, 0, 0, 1]) };
  return {
    kind: "activation",
    batch: 0,
    activation: floatsToTensor(new Float32Array(values), 2, columns),
    labels,
    ...change,
  };
}

const ones = Array.from({ length: 8 }, (_, index) => index / 8);

function snapshot(work: LayerWork): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(work.state().tensors).map(([name, values]) => [name, [...values]]),
  );
}

describe("a frame that does not fit", () => {
  const work = new LayerWork(plainKernels(), network, 2, 4);

  it.each<[string, ActivationFrame, string]>([
    ["of the wrong width", frame([1, 2, 3, 4, 5, 6], 3), "activation is 2×3, this layer takes 2×4"],
    ["with a value that is no number", frame([Number.NaN, 0, 0, 0, 0, 0, 0, 0], 4), "value 0 is NaN"],
    ["with a value beyond reason", frame([0, 0, 0, 0, 0, 0, 0, 1e9], 4), "value 7 is 1000000000"],
    [
      "with too many rows",
      frame(ones, 4, { activation: floatsToTensor(new Float32Array(12), 3, 4) }),
      "activation has 3 rows, this layer takes 2",
    ],
    [
      "with labels of another width",
      frame(ones, 4, { labels: { dtype: "u8", shape: [2, 3], data: new Uint8Array(6) } }),
      "labels is 2×3, this layer takes 2×2",
    ],
  ])("%s is refused before anything changes", (_, bad, reason) => {
    const before = snapshot(work);
    expect(() => work.inspect(bad)).toThrow(reason);
    expect(snapshot(work)).toEqual(before);
  });

  it("as an answer is refused just so", () => {
    const gradient = floatsToTensor(new Float32Array(6), 2, 3);
    expect(() => work.inspectTarget({ kind: "gradient", batch: 0, gradient })).toThrow(
      "gradient is 2×3, this layer takes 2×4",
    );
  });
});

describe("a hidden layer", () => {
  it("learns from an answer whose evidence it kept, once", () => {
    const work = new LayerWork(plainKernels(), network, 2, 4);
    const heard = frame(ones, 4);
    work.update(heard);
    expect(work.forwardFrame(heard).activation.shape).toEqual([2, 4]);
    work.keep(7);
    const target = floatsToTensor(new Float32Array(8).fill(1), 2, 4);
    expect(work.learn(7, target, 0)?.squaredTarget).toBe(8);
    expect(work.learn(7, target, 0)).toBeUndefined();
  });

  it("changes nothing when it rehearses", () => {
    const work = new LayerWork(plainKernels(), network, 2, 4);
    const before = snapshot(work);
    expect(work.rehearse(frame(ones, 4))?.shape).toEqual([2, 4]);
    expect(snapshot(work)).toEqual(before);
  });

  it("that is the first answers the source without numbers", () => {
    const work = new LayerWork(plainKernels(), network, 1, 4);
    expect(work.update(frame([1, 2, 3, 4, 5, 6], 3)).answer).toBeUndefined();
  });

  it("stops rather than send on numbers that ran away", () => {
    const work = new LayerWork(plainKernels(), network, 2, 4);
    work.state().tensors["layer.weight"]!.fill(1e30);
    const heard = frame(ones, 4);
    work.update(heard);
    expect(() => work.forwardFrame(heard)).toThrow("output is not finite, or beyond ±1000000");
  });
});

describe("the head", () => {
  it("judges held-out data part by part, and forgets it when it is sent anew", () => {
    const head = new LayerWork(plainKernels(), network, 3, 4);
    const part = (number: number) => frame(ones, 4, { evaluation: { part: number, parts: 2 } });
    head.evaluate(part(0));
    expect(head.evaluate(part(0))).toBeUndefined();
    const test = head.evaluate(part(1));
    expect([0, 0.5, 1]).toContain(test?.error);
    expect(test?.loss).toBeGreaterThan(0);
  });
});
