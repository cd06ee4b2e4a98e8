import type { LayerWork } from "../../../services/layer/layer-work.ts";
import type { ActivationFrame, Tensor } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";

export const network = {
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

export function frame(
  values: readonly number[],
  columns: number,
  change: Partial<ActivationFrame> = {},
): ActivationFrame {
  const labels: Tensor = { dtype: "u8", shape: [2, 1], data: new Uint8Array([0, 1]) };
  return {
    kind: "activation",
    batch: 0,
    activation: floatsToTensor(new Float32Array(values), 2, columns),
    labels,
    ...change,
  };
}

export const dtypes = { input: "f32", link: "f32" } as const;
export const ones = Array.from({ length: 8 }, (_, index) => index / 8);

export function snapshot(work: LayerWork): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(work.state().tensors).map(([name, values]) => [name, [...values]]),
  );
}
