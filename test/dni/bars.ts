import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import type { LearningOptions } from "../../shared/dni/layer-options.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { range } from "../math/double-oracle.ts";

const SIZE = 8;

/** A bar of four pixels somewhere in noise, lying (class 0) or standing (class 1): no pixel by itself tells which. */
export function bars(seed: number, batch: number, rows: number): ChainBatch {
  const random = seededRandom(seed, batch, 5);
  const input = Float32Array.from({ length: rows * SIZE * SIZE }, () => 0.3 * normal(random));
  const labels = new Uint8Array(rows);
  for (const row of range(rows)) {
    const stands = random() < 0.5;
    const [along, beside] = [Math.floor(random() * (SIZE - 3)), Math.floor(random() * SIZE)];
    for (const i of range(4)) {
      const [y, x] = stands ? [along + i, beside] : [beside, along + i];
      input[row * SIZE * SIZE + y * SIZE + x]! += 1;
    }
    labels[row] = stands ? 1 : 0;
  }
  return { rows, input, labels };
}

/** Two convolutions of few channels, so that the head alone cannot cope, and the head. */
export function barsNetwork(
  learning: LearningOptions,
  run: NetworkOptions["run"],
  seed: number,
): NetworkOptions {
  const first = { height: SIZE, width: SIZE, channels: 1, kernel: 3, stride: 2, padding: 1 };
  const second = { ...first, height: 4, width: 4, channels: 3, stride: 2 };
  const hidden = { nonlinearity: "relu", batchNorm: true } as const;
  return {
    seed,
    layers: [
      { ...hidden, inputs: 64, outputs: 48, conv: { shape: first, channels: 3 } },
      { ...hidden, inputs: 48, outputs: 16, conv: { shape: second, channels: 4 } },
      { inputs: 16, outputs: 2, nonlinearity: "identity", batchNorm: false },
    ],
    loss: "softmax-cross-entropy",
    learning,
    run,
  };
}
