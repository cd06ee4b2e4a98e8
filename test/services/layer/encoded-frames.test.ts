import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { weightsDigest } from "../../../shared/checkpoint/digest.ts";
import type { NetworkOptions } from "../../../shared/dni/build-layer.ts";
import { referenceChain } from "../../../shared/layers/network.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { decode, encode } from "../../../shared/wire/codec.ts";
import type {
  BatchFrame,
  CorrectionFrame,
  Frame,
  LinkDtype,
  PreviewFrame,
  TargetFrame,
  Tensor,
} from "../../../shared/wire/frames.ts";
import { frame, network } from "./small-layers.ts";

describe("layers that hear each other through encoded frames", () => {
  const batches = 8;
  const batch = (number: number) => ({
    rows: 2,
    input: Float32Array.from({ length: 6 }, (_, index) => Math.sin(number * 6 + index)),
    labels: Uint8Array.from(number % 2 ? [0, 1] : [1, 1]),
  });

  function chainStates(dtype: LinkDtype, of: NetworkOptions = network) {
    const chain = referenceChain(wasmKernels(), of, { staleness: 1, dtype });
    for (let number = 0; number < batches; number++) chain.train(batch(number), number);
    return chain.states();
  }

  function workStates(link: LinkDtype, of: NetworkOptions = network) {
    const works = [1, 2, 3].map((number) => {
      const dtypes = { input: "f32", link } as const;
      return new LayerWork(wasmKernels(), of, number, { ticketsKept: 4, dtypes });
    });
    const targets: (TargetFrame | undefined)[] = [];
    for (let number = 0; number < batches; number++) {
      const { input, labels } = batch(number);
      const classes: Tensor = { dtype: "u8", shape: [2, 1], data: labels };
      let heard = frame([...input], 3, { batch: number, labels: classes });
      for (const [index, work] of works.entries()) {
        work.inspector.inspect(heard);
        if (number > 0 && index < 2) work.learn(number - 1, targets[index]!);
        const { answer, output } = work.update(heard);
        if (answer)
          targets[index - 1] = afterTheWire({ kind: "gradient", batch: number, gradient: answer } as const);
        if (!output) continue;
        const forward = work.forwardFrame(heard, output);
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
    const targets: (TargetFrame | undefined)[] = [];
    const corrections: { shown: PreviewFrame; came: CorrectionFrame }[] = [];
    const squaredTargets = [0, 0];
    for (let number = 0; number < batches; number++) {
      const { input, labels } = batch(number);
      const classes: Tensor = { dtype: "u8", shape: [2, 1], data: labels };
      let shown: BatchFrame = frame([...input], 3, { batch: number, labels: classes });
      for (const [index, work] of works.entries()) {
        work.inspector.inspect(shown);
        if (number > 0 && index < 2) work.learn(number - 1, targets[index]!);
        const next: PreviewFrame = afterTheWire(work.previewFrame(shown));
        const { answer, output } = work.update(shown);
        if (answer)
          targets[index - 1] = afterTheWire({ kind: "gradient", batch: number, gradient: answer } as const);
        if (!output) continue;
        const came = afterTheWire(work.correctionFrame(shown, output));
        corrections[index] = { shown: next, came };
        shown = next;
      }
      for (const [index, { shown, came }] of corrections.entries()) {
        works[index + 1]!.inspector.inspect(came);
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
