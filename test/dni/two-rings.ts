import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";

/** Two classes no line can part: points near a circle of radius 1, and near one of radius 2. Batch `number` of `seed`. */
export function twoRings(seed: number, number: number, rows: number): ChainBatch {
  const random = seededRandom(seed, number);
  const input = new Float32Array(rows * 2);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const ring = random() < 0.5 ? 0 : 1;
    const angle = 2 * Math.PI * random();
    const radius = ring + 1 + 0.1 * normal(random);
    input.set([radius * Math.cos(angle), radius * Math.sin(angle)], row * 2);
    labels[row] = ring;
  }
  return { rows, input, labels };
}
