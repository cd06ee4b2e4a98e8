import type { Batch, DataSet } from "../data-set.ts";
import { integerBelow, type Random, randomStream, Stream } from "../random.ts";
import type { Augmentation } from "./augmentation.ts";
import type { ImageSet } from "./image-set.ts";

/**
 * Images that are never shown twice alike: in training each is moved, and mirrored every other time, by what follows
 * from seed, batch and row alone. What is held out is shown as it is.
 */
export class AugmentedImages implements DataSet {
  readonly inputScale: number;
  readonly #images: ImageSet;
  readonly #how: Augmentation;

  constructor(images: ImageSet, how: Augmentation) {
    this.inputScale = images.inputScale;
    this.#images = images;
    this.#how = how;
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    const { rows, input, labels } = this.#images.batch(seed, number, batchSize);
    const { inputWidth } = this.#images;
    const random = randomStream(seed, Stream.augmentation, number);
    const changed = new Uint8Array(input.length);
    for (let row = 0; row < rows; row++) {
      const [from, to] = [row * inputWidth, (row + 1) * inputWidth];
      this.#change(input.subarray(from, to), changed.subarray(from, to), random);
    }
    return { rows, input: changed, labels };
  }

  evaluationParts(batchSize: number): number {
    return this.#images.evaluationParts(batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    return this.#images.evaluationPart(part, batchSize);
  }

  /** One image, plane by plane; `to` is zero, and stays so where nothing moves in. */
  #change(from: Uint8Array, to: Uint8Array, random: Random): void {
    const { shift, mirror } = this.#how;
    const { height, width } = this.#images;
    const down = integerBelow(random, 2 * shift + 1) - shift;
    const right = integerBelow(random, 2 * shift + 1) - shift;
    const isMirrored = mirror && integerBelow(random, 2) === 1;
    for (let plane = 0; plane < from.length; plane += height * width)
      for (let y = Math.max(0, down); y < Math.min(height, height + down); y++)
        for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
          const column = isMirrored ? width - 1 - (x - right) : x - right;
          to[plane + y * width + x] = from[plane + (y - down) * width + column]!;
        }
  }
}
