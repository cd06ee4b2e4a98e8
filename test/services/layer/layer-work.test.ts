import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { type ActivationFrame, CloseCode, type LinkDtype } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";
import { byteTensor } from "../../support/frames.ts";
import { dtypes, frame, network, ones, snapshot } from "./small-layers.ts";

describe("a frame that does not fit", () => {
  const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });

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
      frame(ones, 4, { labels: { dtype: "u8", shape: [2, 2], data: new Uint8Array(4) } }),
      "labels is 2×2, this layer takes 2×1",
    ],
    [
      "of another dtype than agreed",
      frame(ones, 4, { activation: byteTensor(2, 4) }),
      "activation is i8, this layer takes f32",
    ],
  ])("%s is refused before anything changes", (_, bad, reason) => {
    const before = snapshot(work);
    expect(() => work.inspector.inspect(bad)).toThrow(reason);
    expect(snapshot(work)).toEqual(before);
  });

  it("as an answer is refused just so", () => {
    const gradient = floatsToTensor(new Float32Array(6), 2, 3);
    expect(() => work.inspector.inspectTarget({ kind: "gradient", batch: 0, gradient }, 2)).toThrow(
      "gradient is 2×3, this layer takes 2×4",
    );
  });
});

it("keeps, while it answers old batches anew, what waits for its target", () => {
  const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 2, sentKept: 2, dtypes });
  const gradient = floatsToTensor(new Float32Array(ones), 2, 4);
  const learns = (batch: number) => work.learn(0, { kind: "gradient", batch, gradient }) !== undefined;
  for (const batch of [8, 9]) work.update(frame(ones, 4, { batch }));
  // As many as there is room for.
  for (const batch of [1, 2]) work.rehearse(frame(ones, 4, { batch }));
  expect([learns(8), learns(9), learns(1)]).toEqual([true, true, false]);
});

/** Its generators look at the network's input. */
const generator = { ...network.learning.generator, evidence: ["output", "input"] as const };
const looking = { ...network, learning: { ...network.learning, generator } };

it("passes its own input on as the network's, if it is the first, and nothing else that came with it", () => {
  const work = new LayerWork(plainKernels(), looking, 1, { ticketsKept: 4, dtypes });
  const first = frame([1, 2, 3, 4, 5, 6], 3, {
    input: floatsToTensor(new Float32Array(6).fill(1e9), 2, 3),
  });
  work.inspector.inspect(first);
  const { output } = work.update(first);
  expect(work.forwardFrame(first, output!).input).toEqual(first.activation);
});

describe("a layer that agreed on another dtype than f32", () => {
  const worker = (number: number, link: LinkDtype, kernels = wasmKernels()) =>
    new LayerWork(kernels, network, number, { ticketsKept: 4, dtypes: { input: "f32", link } });

  it.each([
    ["f16", 2, 16],
    ["bf16", 2, 16],
    ["i8", 2, 8],
  ] as const)("sends outputs and answers as %s", (link, rows, bytes) => {
    const work = worker(2, link);
    const [predecessor, successor] = [worker(1, link), worker(3, link)];
    const first = frame([1, 2, 3, 4, 5, 6], 3);
    const heard = predecessor.forwardFrame(first, predecessor.update(first).output!);
    work.inspector.inspect(heard);
    const { answer, output } = work.update(heard);
    const { activation } = work.forwardFrame(heard, output!);
    for (const { dtype, shape, data } of [heard.activation, answer!, activation])
      expect([dtype, shape, data.length]).toEqual([link, [rows, 4], bytes]);
    const forward = { ...heard, activation };
    successor.inspector.inspect(forward);
    const gradient = successor.update(forward).answer!;
    work.inspector.inspectTarget({ kind: "gradient", batch: 0, gradient }, 2);
    expect(work.learn(0, { kind: "gradient", batch: 0, gradient })?.squaredTarget).toBeGreaterThan(0);
  });

  it("takes floats from the source all the same, and from nobody else", () => {
    worker(1, "i8").inspector.inspect(frame([1, 2, 3, 4, 5, 6], 3));
    expect(() =>
      worker(1, "i8").inspector.inspect(frame([1, 2, 3, 4, 5, 6], 3, { activation: byteTensor(2, 3) })),
    ).toThrow(new FrameError("activation is i8, this layer takes f32", CloseCode.mismatch));
    expect(() => worker(2, "i8").inspector.inspect(frame(ones, 4))).toThrow(
      new FrameError("activation is f32, this layer takes i8", CloseCode.mismatch),
    );
  });

  it("takes answers of that dtype and of no other", () => {
    const gradient = byteTensor(2, 4);
    worker(2, "i8").inspector.inspectTarget({ kind: "gradient", batch: 0, gradient }, 2);
    expect(() =>
      worker(2, "f16").inspector.inspectTarget({ kind: "gradient", batch: 0, gradient }, 2),
    ).toThrow(new FrameError("gradient is i8, this layer takes f16", CloseCode.mismatch));
  });

  it("takes the network's input as the source sent it", () => {
    const dtypes = { input: "f32", link: "i8" } as const;
    const work = new LayerWork(plainKernels(), looking, 2, { ticketsKept: 4, dtypes });
    const input = floatsToTensor(new Float32Array(6), 2, 3);
    work.inspector.inspect(frame(ones, 4, { activation: byteTensor(2, 4), input }));
    const wrong = frame(ones, 4, { activation: byteTensor(2, 4), input: byteTensor(2, 3) });
    expect(() => work.inspector.inspect(wrong)).toThrow("input is i8, this layer takes f32");
  });

  it.each(["f16", "bf16", "i8"] as const)("stops rather than send %s of numbers that ran away", (link) => {
    const work = worker(2, link);
    const heard = frame(ones, 4);
    work.state().tensors["layer.weight"]!.fill(1e30);
    expect(() => work.update(heard)).toThrow("output is not finite, or beyond ±1000000");
  });
});

describe("a hidden layer", () => {
  it("learns from an answer whose evidence it kept, once", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    const heard = frame(ones, 4);
    const output = work.update(heard).output!;
    expect(work.forwardFrame(heard, output).activation.shape).toEqual([2, 4]);
    const gradient = floatsToTensor(new Float32Array(8).fill(1), 2, 4);
    const target = { kind: "gradient", batch: 0, gradient } as const;
    expect(work.learn(7, target)?.squaredTarget).toBe(8);
    expect(work.learn(7, target)).toBeUndefined();
  });

  it("changes nothing when it rehearses", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    const before = snapshot(work);
    expect(work.rehearse(frame(ones, 4)).answer?.shape).toEqual([2, 4]);
    expect(snapshot(work)).toEqual(before);
  });

  it("that is the first answers the source without numbers", () => {
    const work = new LayerWork(plainKernels(), network, 1, { ticketsKept: 4, dtypes });
    expect(work.update(frame([1, 2, 3, 4, 5, 6], 3)).answer).toBeUndefined();
  });

  it("stops rather than send on numbers that ran away", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    work.state().tensors["layer.weight"]!.fill(1e30);
    expect(() => work.update(frame(ones, 4))).toThrow("output is not finite, or beyond ±1000000");
  });
});

describe("the head", () => {
  it("judges held-out data part by part, and forgets it when it is sent anew", () => {
    const head = new LayerWork(plainKernels(), network, 3, { ticketsKept: 4, dtypes });
    const part = (number: number) => ({ ...frame(ones, 4), evaluation: { part: number, parts: 2 } });
    head.evaluate(part(0));
    expect(head.evaluate(part(0)).test).toBeUndefined();
    const { test } = head.evaluate(part(1));
    expect([0, 0.5, 1]).toContain(test?.error);
    expect(test?.loss).toBeGreaterThan(0);
  });
});
