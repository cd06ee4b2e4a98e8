import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import type { NetworkOptions } from "../../../shared/dni/build-layer.ts";
import { ReferenceChain } from "../../../shared/dni/reference-chain.ts";
import { plainKernels } from "../../../shared/math/plain-kernels.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { weightsDigest } from "../../../shared/run/digest.ts";
import { decode, encode } from "../../../shared/wire/codec.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import {
  type ActivationFrame,
  type BatchFrame,
  CloseCode,
  type CorrectionFrame,
  type Frame,
  type LinkDtype,
  type PreviewFrame,
  type Tensor,
} from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";
import { byteTensor, correction, countingTensor, preview } from "../../support/frames.ts";

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

const dtypes = { input: "f32", link: "f32" } as const;
const ones = Array.from({ length: 8 }, (_, index) => index / 8);

function snapshot(work: LayerWork): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(work.state().tensors).map(([name, values]) => [name, [...values]]),
  );
}

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
      frame(ones, 4, { labels: { dtype: "u8", shape: [2, 3], data: new Uint8Array(6) } }),
      "labels is 2×3, this layer takes 2×2",
    ],
    [
      "of another dtype than agreed",
      frame(ones, 4, { activation: byteTensor(2, 4) }),
      "activation is i8, this layer takes f32",
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

/** Its generators look at the network's input. */
const generator = { ...network.learning.generator, evidence: ["output", "input"] as const };
const looking = { ...network, learning: { ...network.learning, generator } };

it("passes its own input on as the network's, if it is the first, and nothing else that came with it", () => {
  const work = new LayerWork(plainKernels(), looking, 1, { ticketsKept: 4, dtypes });
  const first = frame([1, 2, 3, 4, 5, 6], 3, {
    input: floatsToTensor(new Float32Array(6).fill(1e9), 2, 3),
  });
  work.inspect(first);
  work.update(first);
  expect(work.forwardFrame(first).input).toEqual(first.activation);
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
    predecessor.update(first);
    const heard = predecessor.forwardFrame(first);
    work.inspect(heard);
    const { answer } = work.update(heard);
    const { activation } = work.forwardFrame(heard);
    for (const { dtype, shape, data } of [heard.activation, answer!, activation])
      expect([dtype, shape, data.length]).toEqual([link, [rows, 4], bytes]);
    work.keep(0);
    const forward = { ...heard, activation };
    successor.inspect(forward);
    const gradient = successor.update(forward).answer!;
    work.inspectTarget({ kind: "gradient", batch: 0, gradient });
    expect(work.learn(0, gradient, 0)?.squaredTarget).toBeGreaterThan(0);
  });

  it("takes floats from the source all the same, and from nobody else", () => {
    worker(1, "i8").inspect(frame([1, 2, 3, 4, 5, 6], 3));
    expect(() =>
      worker(1, "i8").inspect(frame([1, 2, 3, 4, 5, 6], 3, { activation: byteTensor(2, 3) })),
    ).toThrow(new FrameError("activation is i8, this layer takes f32", CloseCode.mismatch));
    expect(() => worker(2, "i8").inspect(frame(ones, 4))).toThrow(
      new FrameError("activation is f32, this layer takes i8", CloseCode.mismatch),
    );
  });

  it("takes answers of that dtype and of no other", () => {
    const gradient = byteTensor(2, 4);
    worker(2, "i8").inspectTarget({ kind: "gradient", batch: 0, gradient });
    expect(() => worker(2, "f16").inspectTarget({ kind: "gradient", batch: 0, gradient })).toThrow(
      new FrameError("gradient is i8, this layer takes f16", CloseCode.mismatch),
    );
  });

  it("takes the network's input as the source sent it", () => {
    const dtypes = { input: "f32", link: "i8" } as const;
    const work = new LayerWork(plainKernels(), looking, 2, { ticketsKept: 4, dtypes });
    const input = floatsToTensor(new Float32Array(6), 2, 3);
    work.inspect(frame(ones, 4, { activation: byteTensor(2, 4), input }));
    const wrong = frame(ones, 4, { activation: byteTensor(2, 4), input: byteTensor(2, 3) });
    expect(() => work.inspect(wrong)).toThrow("input is i8, this layer takes f32");
  });

  it.each(["f16", "bf16", "i8"] as const)("stops rather than send %s of numbers that ran away", (link) => {
    const work = worker(2, link);
    const heard = frame(ones, 4);
    work.state().tensors["layer.weight"]!.fill(1e30);
    work.update(heard);
    expect(() => work.forwardFrame(heard)).toThrow("output is not finite, or beyond ±1000000");
  });
});

describe("layers that hear each other through encoded frames", () => {
  const batches = 8;
  const batch = (number: number) => ({
    rows: 2,
    input: Float32Array.from({ length: 6 }, (_, index) => Math.sin(number * 6 + index)),
    labels: Uint8Array.from(number % 2 ? [1, 0, 0, 1] : [0, 1, 0, 1]),
  });

  function chainStates(dtype: LinkDtype, of: NetworkOptions = network) {
    const chain = new ReferenceChain(wasmKernels(), of, { staleness: 1, dtype });
    for (let number = 0; number < batches; number++) chain.train(batch(number), number);
    return chain.states();
  }

  function workStates(link: LinkDtype, of: NetworkOptions = network) {
    const works = [1, 2, 3].map((number) => {
      const dtypes = { input: "f32", link } as const;
      return new LayerWork(wasmKernels(), of, number, { ticketsKept: 4, dtypes });
    });
    const targets: (Tensor | undefined)[] = [];
    for (let number = 0; number < batches; number++) {
      const { input, labels } = batch(number);
      const dense: Tensor = { dtype: "u8", shape: [2, 2], data: labels };
      let heard = frame([...input], 3, { batch: number, labels: dense });
      for (const [index, work] of works.entries()) {
        work.inspect(heard);
        if (number > 0 && index < 2) work.learn(number - 1, targets[index]!, number - 1);
        const { answer } = work.update(heard);
        if (answer)
          targets[index - 1] = afterTheWire({ kind: "gradient", batch: number, gradient: answer }).gradient;
        if (index === 2) continue;
        const forward = work.forwardFrame(heard);
        work.keep(number);
        heard = afterTheWire(forward);
      }
    }
    return works.map((work) => work.state());
  }

  it.each(["f32", "f16", "bf16", "i8"] as const)(
    "learn %s as the reference chain does, bit for bit",
    (dtype) => {
      expect(workStates(dtype)).toEqual(chainStates(dtype));
    },
  );

  it("learn as the reference chain does where they are convolutions: images travel as rows", () => {
    const first = { height: 3, width: 1, channels: 1, kernel: 3, stride: 1, padding: 1 };
    const second = { ...first, channels: 2, stride: 2 };
    const convolved: NetworkOptions = {
      ...network,
      layers: [
        { ...network.layers[0], outputs: 6, conv: { shape: first, channels: 2 } },
        { ...network.layers[1], inputs: 6, outputs: 6, conv: { shape: second, channels: 3 } },
        { ...network.layers[2], inputs: 6 },
      ],
    };
    expect(workStates("i8", convolved)).toEqual(chainStates("i8", convolved));
    expect(workStates("f32", convolved)).toEqual(chainStates("f32", convolved));
    expect(chainStates("f32", convolved)[0]!.tensors["generator.labelMap"]).toHaveLength(2 * 6);
  });

  /** Each is shown what the one before was shown, and hears afterwards what that came to. */
  function unlockedStates(link: LinkDtype, of: NetworkOptions) {
    const works = [1, 2, 3].map((number) => {
      const dtypes = { input: "f32", link } as const;
      return new LayerWork(wasmKernels(), of, number, { ticketsKept: 4, dtypes });
    });
    const targets: (Tensor | undefined)[] = [];
    const corrections: { shown: PreviewFrame; came: CorrectionFrame }[] = [];
    const squaredTargets = [0, 0];
    for (let number = 0; number < batches; number++) {
      const { input, labels } = batch(number);
      const dense: Tensor = { dtype: "u8", shape: [2, 2], data: labels };
      let shown: BatchFrame = frame([...input], 3, { batch: number, labels: dense });
      for (const [index, work] of works.entries()) {
        work.inspect(shown);
        if (number > 0 && index < 2) work.learn(number - 1, targets[index]!, number - 1);
        const next: PreviewFrame = afterTheWire(work.previewFrame(shown));
        const { answer } = work.update(shown);
        if (answer)
          targets[index - 1] = afterTheWire({ kind: "gradient", batch: number, gradient: answer }).gradient;
        if (index === 2) continue;
        const came = afterTheWire(work.correctionFrame(shown));
        work.keep(number);
        corrections[index] = { shown: next, came };
        shown = next;
      }
      for (const [index, { shown, came }] of corrections.entries()) {
        works[index + 1]!.inspect(came);
        squaredTargets[index]! += works[index + 1]!.correct(shown, came)!.squaredTarget;
      }
    }
    for (const each of squaredTargets) expect(each).toBeGreaterThan(0);
    return works.map((work) => work.state());
  }

  it.each([
    ["f32", ["output", "labels"]],
    ["bf16", ["output", "labels"]],
    ["i8", ["output", "input"]],
  ] as const)("learn %s of guessed inputs as the reference chain does, bit for bit", (dtype, evidence) => {
    const generator = { ...network.learning.generator, evidence };
    const inputGenerator = { rate: 0.02, hidden: [4] };
    const of: NetworkOptions = { ...network, learning: { ...network.learning, generator, inputGenerator } };
    const found = unlockedStates(dtype, of);
    expect(found).toEqual(chainStates(dtype, of));
    for (const [index, state] of found.entries())
      expect("inputGenerator.weight" in state.tensors, `layer ${index + 1}`).toBe(index > 0);
  });

  it("learn otherwise in each dtype", () => {
    const weights = (["f32", "f16", "bf16", "i8"] as const).map((dtype) =>
      weightsDigest(chainStates(dtype)[0]!.tensors),
    );
    expect(new Set(weights).size).toBe(4);
  });
});

function afterTheWire<Sent extends Frame>(sent: Sent): Sent {
  return decode(encode(sent), { maxFrameBytes: 1 << 20 }) as Sent;
}

describe("a hidden layer", () => {
  it("learns from an answer whose evidence it kept, once", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    const heard = frame(ones, 4);
    work.update(heard);
    expect(work.forwardFrame(heard).activation.shape).toEqual([2, 4]);
    work.keep(7);
    const target = floatsToTensor(new Float32Array(8).fill(1), 2, 4);
    expect(work.learn(7, target, 0)?.squaredTarget).toBe(8);
    expect(work.learn(7, target, 0)).toBeUndefined();
  });

  it("changes nothing when it rehearses", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    const before = snapshot(work);
    expect(work.rehearse(frame(ones, 4))?.shape).toEqual([2, 4]);
    expect(snapshot(work)).toEqual(before);
  });

  it("that is the first answers the source without numbers", () => {
    const work = new LayerWork(plainKernels(), network, 1, { ticketsKept: 4, dtypes });
    expect(work.update(frame([1, 2, 3, 4, 5, 6], 3)).answer).toBeUndefined();
  });

  it("stops rather than send on numbers that ran away", () => {
    const work = new LayerWork(plainKernels(), network, 2, { ticketsKept: 4, dtypes });
    work.state().tensors["layer.weight"]!.fill(1e30);
    const heard = frame(ones, 4);
    work.update(heard);
    expect(() => work.forwardFrame(heard)).toThrow("output is not finite, or beyond ±1000000");
  });
});

describe("a layer that guesses its input", () => {
  const learning = { ...network.learning, inputGenerator: { rate: 0.05, hidden: [4] } };
  const unlocked = { ...network, learning };
  const build = (number: number, of: NetworkOptions = unlocked) =>
    new LayerWork(plainKernels(), of, number, { ticketsKept: 4, dtypes });
  const labels: Tensor = { dtype: "u8", shape: [2, 2], data: new Uint8Array([1, 0, 0, 1]) };
  const shown = { ...preview(0), labels };
  const mismatch = (reason: string) => new FrameError(reason, CloseCode.mismatch);

  it.each([
    [
      "a batch as an activation",
      2,
      unlocked,
      frame(ones, 4),
      "batch 0 comes as activation, this layer takes preview, as it guesses its input",
    ],
    ["a preview, at layer 1", 1, unlocked, shown, "batch 0 comes as preview, this layer takes activation"],
    [
      "a preview, where inputs are heard",
      2,
      network,
      shown,
      "batch 0 comes as preview, this layer takes activation",
    ],
    [
      "a correction, where inputs are heard",
      2,
      network,
      correction(3),
      "batch 3 comes as correction, this layer takes activation",
    ],
    [
      "a preview of another width",
      2,
      unlocked,
      { ...shown, input: countingTensor(2, 4) },
      "input is 2×4, this layer takes 2×3",
    ],
    [
      "a preview with too many rows",
      2,
      unlocked,
      { ...preview(0, 3), labels },
      "input has 3 rows, this layer takes 2",
    ],
    [
      "held-out data with an input of another width, which nobody asked for",
      2,
      unlocked,
      frame(ones, 4, { evaluation: { part: 0, parts: 1 }, input: countingTensor(2, 4) }),
      "input is 2×4, this layer takes 2×3",
    ],
    ["a preview with other labels", 2, unlocked, preview(0), "labels is 2×1, this layer takes 2×2"],
    [
      "a correction of another width",
      2,
      unlocked,
      correction(0, 2, 3),
      "activation is 2×3, this layer takes 2×4",
    ],
    [
      "a correction of another dtype",
      2,
      unlocked,
      { ...correction(0), activation: byteTensor(2, 4) },
      "activation is i8, this layer takes f32",
    ],
  ])("refuses %s, before anything changes", (_, number, of, bad, reason) => {
    const work = build(number, of);
    const before = snapshot(work);
    expect(() => work.inspect(bad)).toThrow(mismatch(reason));
    expect(snapshot(work)).toEqual(before);
  });

  it("refuses numbers beyond reason in what it is shown, and in what that came to", () => {
    const values = floatsToTensor(new Float32Array([0, 0, 0, 0, 0, 1e9]), 2, 3);
    const came = floatsToTensor(new Float32Array([0, 0, Number.NaN, 0, 0, 0, 0, 0]), 2, 4);
    expect(() => build(2).inspect({ ...shown, input: values })).toThrow("value 5 is 1000000000");
    expect(() => build(2).inspect({ kind: "correction", batch: 0, activation: came })).toThrow(
      "value 2 is NaN",
    );
  });

  it("hears real activations of held-out data, and passes them on as such", () => {
    const part = frame(ones, 4, { evaluation: { part: 0, parts: 1 } });
    const work = build(2);
    work.inspect(part);
    work.evaluate(part);
    const { kind, activation } = work.forwardFrame(part);
    const plain = build(2, network);
    plain.evaluate(part);
    expect([kind, activation]).toEqual(["activation", plain.forwardFrame(part).activation]);
  });

  it("learns nothing from what has other rows than it was shown", () => {
    const work = build(2);
    work.update(shown);
    const before = snapshot(work);
    expect(work.correct(shown, correction(0, 1))).toBeUndefined();
    expect(snapshot(work)).toEqual(before);
    expect(work.correct(shown, correction(0))?.squaredTarget).toBeGreaterThan(0);
    expect(snapshot(work)).not.toEqual(before);
  });

  it("goes on after a restart as if there had been none: its guesser is saved with it", () => {
    const [one, other] = [build(2), build(2)];
    const train = (work: LayerWork, from: number, to: number) => {
      for (let batch = from; batch < to; batch++) {
        const each = { ...shown, batch };
        work.update(each);
        work.correct(each, correction(batch));
      }
    };
    train(one, 0, 3);
    other.restore(structuredClone(one.state()));
    for (const work of [one, other]) train(work, 3, 6);
    expect(snapshot(other)).toEqual(snapshot(one));
    const fresh = build(2);
    fresh.restore({
      ...structuredClone(one.state()),
      counters: { ...one.state().counters, "inputGenerator.steps": 0 },
    });
    for (const work of [one, fresh]) train(work, 6, 9);
    expect(snapshot(fresh)).not.toEqual(snapshot(one));
  });
});

describe("the head", () => {
  it("judges held-out data part by part, and forgets it when it is sent anew", () => {
    const head = new LayerWork(plainKernels(), network, 3, { ticketsKept: 4, dtypes });
    const part = (number: number) => frame(ones, 4, { evaluation: { part: number, parts: 2 } });
    head.evaluate(part(0));
    expect(head.evaluate(part(0))).toBeUndefined();
    const test = head.evaluate(part(1));
    expect([0, 0.5, 1]).toContain(test?.error);
    expect(test?.loss).toBeGreaterThan(0);
  });
});
