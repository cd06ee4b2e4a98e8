import { numberFrom, wholeFrom } from "../../schema/fields.ts";
import type { Batch, DataSet } from "../data-set.ts";
import { dataSetKind } from "../data-set-kind.ts";
import { countParts, rowsOfPart } from "../parts.ts";
import { gaussian, integerBelow, type Random, randomStream, Stream, uniform } from "../random.ts";

const radii = [1, 2] as const;

export const twoRings = dataSetKind({
  about: "Points on two circles: 2 inputs, 2 classes; endless.",
  fields: {
    noise: numberFrom(0, 1000)
      .default(0.1)
      .describe("Standard deviation in x and y; the circles have radius 1 and 2."),
    heldOut: wholeFrom(1, 1_000_000).default(1000).describe("Points to evaluate on."),
  },

  facts() {
    return { inputWidth: 2, labelWidth: 2, inputType: "f32", judged: "class", trainingExamples: undefined };
  },

  open({ noise, heldOut }) {
    return new TwoRings(noise, heldOut);
  },
});

/**
 * Points (x, y) on a circle of radius 1 (class 0) or 2 (class 1), moved by Gaussian noise: small enough to watch,
 * and no straight line separates them. An endless stream; the held-out points are drawn once, whatever the seed.
 */
export class TwoRings implements DataSet {
  readonly inputScale = 1;
  readonly #noise: number;
  readonly #heldOut: Batch & { readonly input: Float32Array };

  /** `noise`: standard deviation in x and in y. */
  constructor(noise: number, heldOut: number) {
    this.#noise = noise;
    this.#heldOut = drawPoints(randomStream(Stream.heldOut), noise, heldOut);
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    return drawPoints(randomStream(Stream.training, seed, number), this.#noise, batchSize);
  }

  evaluationParts(batchSize: number): number {
    return countParts(this.#heldOut.rows, batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    const { from, rows } = rowsOfPart(this.#heldOut.rows, part, batchSize);
    return {
      rows,
      input: this.#heldOut.input.slice(2 * from, 2 * (from + rows)),
      labels: this.#heldOut.labels.slice(from, from + rows),
    };
  }
}

function drawPoints(random: Random, noise: number, rows: number): Batch & { readonly input: Float32Array } {
  const input = new Float32Array(2 * rows);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const ring = integerBelow(random, 2) as 0 | 1;
    const angle = 2 * Math.PI * uniform(random);
    input[2 * row] = radii[ring] * Math.cos(angle) + noise * gaussian(random);
    input[2 * row + 1] = radii[ring] * Math.sin(angle) + noise * gaussian(random);
    labels[row] = ring;
  }
  return { rows, input, labels };
}
