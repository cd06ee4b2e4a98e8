import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import type { NetworkOptions } from "../../../shared/dni/build-layer.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { CloseCode, type Tensor } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";
import { byteTensor, correction, countingTensor, preview } from "../../support/frames.ts";
import { dtypes, frame, network, ones, snapshot } from "./small-layers.ts";

describe("a layer that guesses its input", () => {
  const learning = { ...network.learning, inputGenerator: { rate: 0.05, hidden: [4] } };
  const unlocked = { ...network, learning };
  const build = (number: number, of: NetworkOptions = unlocked) =>
    new LayerWork(plainKernels(), of, number, { ticketsKept: 4, dtypes });
  const labels: Tensor = { dtype: "u8", shape: [2, 1], data: new Uint8Array([0, 1]) };
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
    [
      "a preview with other labels",
      2,
      unlocked,
      { ...preview(0), labels: { ...labels, shape: [2, 2] as const, data: new Uint8Array(4) } },
      "labels is 2×2, this layer takes 2×1",
    ],
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
    expect(() => work.inspector.inspect(bad)).toThrow(mismatch(reason));
    expect(snapshot(work)).toEqual(before);
  });

  it("refuses numbers beyond reason in what it is shown, and in what that came to", () => {
    const values = floatsToTensor(new Float32Array([0, 0, 0, 0, 0, 1e9]), 2, 3);
    const came = floatsToTensor(new Float32Array([0, 0, Number.NaN, 0, 0, 0, 0, 0]), 2, 4);
    expect(() => build(2).inspector.inspect({ ...shown, input: values })).toThrow("value 5 is 1000000000");
    expect(() => build(2).inspector.inspect({ kind: "correction", batch: 0, activation: came })).toThrow(
      "value 2 is NaN",
    );
  });

  it("hears real activations of held-out data, and passes them on as such", () => {
    const part = { ...frame(ones, 4), evaluation: { part: 0, parts: 1 } };
    const work = build(2);
    work.inspector.inspect(part);
    const { kind, activation } = work.forwardFrame(part, work.evaluate(part).output!);
    const plain = build(2, network);
    const expected = plain.forwardFrame(part, plain.evaluate(part).output!);
    expect([kind, activation]).toEqual(["activation", expected.activation]);
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
