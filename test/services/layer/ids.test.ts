import { describe, expect, it } from "vitest";
import { Inspector } from "../../../services/layer/inspector.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import type { ActivationFrame } from "../../../shared/wire/frames.ts";

const { config } = readConfig(
  `
data: {set: text, context: 2, characters: abc}
layers: [{kind: embedding, width: 2}, {kind: readout, outputs: 3}]
run: {batchSize: 1, batches: 10}
`,
  "x.yaml",
);
const TOKENS = `
data: {set: text, context: 2, units: gpt2, vocabulary: 300}
layers: [{kind: embedding, width: 2}, {kind: readout, outputs: 300}]
run: {batchSize: 1, batches: 10}
`;
const inspector = new Inspector(plainKernels(), config, 1, { input: "u8", link: "f32" });

function frame(ids: readonly number[], scale?: number): ActivationFrame {
  const u8 = (values: readonly number[]) =>
    ({ dtype: "u8", shape: [1, values.length], data: Uint8Array.from(values) }) as const;
  const activation = { ...u8(ids), ...(scale !== undefined && { scale }) };
  return { kind: "activation", batch: 0, activation, labels: u8([1, 0]) };
}

describe("a layer that takes ids", () => {
  it("takes those of its vocabulary", () => {
    expect(() => inspector.inspect(frame([0, 2]))).not.toThrow();
  });

  it("refuses an id beyond it, and ids that are worth something else than 1, by closing the link", () => {
    const mismatch = expect.objectContaining({ code: 4412 });
    expect(() => inspector.inspect(frame([0, 3]))).toThrow(mismatch);
    expect(() => inspector.inspect(frame([0, 3]))).toThrow("id 3 is not one of the 3 that this layer knows");
    expect(() => inspector.inspect(frame([0, 1], 0.5))).toThrow("ids are u8 times 0.5, this layer takes u8");
  });

  it("refuses a label that is none of its classes, one-hot labels, and classes that are worth something else", () => {
    const labelled = (...classes: readonly number[]) => {
      const data = Uint8Array.from(classes);
      return { ...frame([0, 1]), labels: { dtype: "u8", shape: [1, classes.length], data } } as const;
    };
    expect(() => inspector.inspect(labelled(0, 2))).not.toThrow();
    const mismatch = expect.objectContaining({ code: 4412 });
    expect(() => inspector.inspect(labelled(0, 3))).toThrow(mismatch);
    expect(() => inspector.inspect(labelled(0, 3))).toThrow(
      "class 3 is not one of the 3 that this layer knows",
    );
    expect(() => inspector.inspect(labelled(0, 1, 0, 1, 0, 0))).toThrow(
      "labels is 1×6, this layer takes 1×2",
    );
    const halves = labelled(0, 1);
    expect(() => inspector.inspect({ ...halves, labels: { ...halves.labels, scale: 0.5 } })).toThrow(
      "labels are u8 times 0.5, this layer takes u8",
    );
  });

  it("takes tokens as floats, and refuses what is no whole number below their count", () => {
    const { config } = readConfig(TOKENS, "x.yaml");
    const layer = new Inspector(plainKernels(), config, 1, { input: "f32", link: "f32" });
    const of = (...ids: readonly number[]) => {
      // As it comes off a socket: a part of something longer, which begins anywhere.
      const data = Buffer.concat([Buffer.of(0), Buffer.from(Float32Array.from(ids).buffer)]).subarray(1);
      return { ...frame([0, 0]), activation: { dtype: "f32", shape: [1, 2], data } as const };
    };
    const labelled = (frame: ActivationFrame, ...classes: readonly number[]) => {
      const ids = classes.length > 0 ? classes : [0, 299];
      const data = Buffer.concat([Buffer.of(0), Buffer.from(Uint16Array.from(ids).buffer)]).subarray(1);
      return { ...frame, labels: { dtype: "u16", shape: [1, 2], data } as const };
    };
    expect(() => layer.inspect(labelled(of(0, 299)))).not.toThrow();
    for (const wrong of [300, -1, 0.5])
      expect(() => layer.inspect(labelled(of(0, wrong)))).toThrow(
        `id ${wrong} is not one of the 300 that this layer knows`,
      );
    expect(() => layer.inspect(labelled(frame([0, 1])))).toThrow("activation is u8, this layer takes f32");
    expect(() => layer.inspect(labelled(of(0, 1), 0, 300))).toThrow(
      "class 300 is not one of the 300 that this layer knows",
    );
    const bytes = { ...of(0, 1), labels: frame([0, 0]).labels };
    expect(() => layer.inspect(bytes)).toThrow("labels are u8, expected u16");
  });
});
