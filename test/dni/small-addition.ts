import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import { seededRandom } from "../../shared/math/random.ts";

/** Two uniform numbers of `bits` bits and their sum of bits + 1, lowest bit first. Batch `number` of `seed`. */
export function smallAddition(bits: number, seed: number, number: number, rows: number): ChainBatch {
  const random = seededRandom(seed, number);
  const input = new Uint8Array(rows * 2 * bits);
  const labels = new Uint8Array(rows * (bits + 1));
  for (let row = 0; row < rows; row++) {
    const a = Math.floor(random() * 2 ** bits);
    const b = Math.floor(random() * 2 ** bits);
    for (let bit = 0; bit < bits; bit++) {
      input[row * 2 * bits + bit] = (a >> bit) & 1;
      input[row * 2 * bits + bits + bit] = (b >> bit) & 1;
    }
    for (let bit = 0; bit <= bits; bit++) labels[row * (bits + 1) + bit] = ((a + b) >> bit) & 1;
  }
  return { rows, input, labels };
}
