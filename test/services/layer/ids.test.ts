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
const inspector = new Inspector(plainKernels(), config, 1, { input: "u8", link: "f32" });

function frame(ids: readonly number[], scale?: number): ActivationFrame {
  const u8 = (values: readonly number[]) =>
    ({ dtype: "u8", shape: [1, values.length], data: Uint8Array.from(values) }) as const;
  const activation = { ...u8(ids), ...(scale !== undefined && { scale }) };
  return { kind: "activation", batch: 0, activation, labels: u8([0, 1, 0, 1, 0, 0]) };
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
});
