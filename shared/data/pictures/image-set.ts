import { DataFileError } from "../data-file.ts";
import type { Batch, DataSet } from "../data-set.ts";
import type { Idx } from "../idx-files.ts";
import { countParts, rowsOfPart } from "../parts.ts";
import { EpochOrders } from "../permutation.ts";

/** `images`: examples × rows × columns; `classes`: examples, each below the number of classes. */
export interface LabelledImages {
  readonly images: Idx;
  readonly classes: Idx;
}

/** Of images, whose pixels are bytes. */
interface ImageBatch extends Batch {
  readonly input: Uint8Array;
}

/** Images in memory, shuffled anew each epoch; the last batch of an epoch is short where the sizes do not divide. */
export class ImageSet implements DataSet {
  readonly inputWidth: number;
  /** Of an image, or of each of its planes. */
  readonly height: number;
  readonly width: number;
  readonly inputScale = 1 / 255;
  readonly #training: LabelledImages;
  readonly #heldOut: LabelledImages;
  readonly #orders: EpochOrders;

  /** Throws a DataFileError when images and classes disagree, or a class is not below `classCount`. */
  constructor(name: string, classCount: number, training: LabelledImages, heldOut: LabelledImages) {
    checkPaired(`${name} (training)`, training, classCount);
    checkPaired(`${name} (held out)`, heldOut, classCount);
    this.inputWidth = pixels(training);
    [this.height, this.width] = training.images.shape.slice(-2) as [number, number];
    this.#training = training;
    this.#heldOut = heldOut;
    this.#orders = new EpochOrders(examples(training));
    if (pixels(heldOut) !== this.inputWidth) {
      throw new DataFileError(
        `Cannot use ${name}: held-out images have ${pixels(heldOut)} pixels, training images ${this.inputWidth}`,
      );
    }
  }

  batchesPerEpoch(batchSize: number): number {
    return countParts(examples(this.#training), batchSize);
  }

  batch(seed: number, number: number, batchSize: number): ImageBatch {
    const perEpoch = this.batchesPerEpoch(batchSize);
    const order = this.#orders.of(seed, Math.floor(number / perEpoch));
    const { from, rows } = rowsOfPart(order.length, number % perEpoch, batchSize);
    return this.#gather(this.#training, order.subarray(from, from + rows));
  }

  evaluationParts(batchSize: number): number {
    return countParts(examples(this.#heldOut), batchSize);
  }

  evaluationPart(part: number, batchSize: number): ImageBatch {
    const { from, rows } = rowsOfPart(examples(this.#heldOut), part, batchSize);
    return this.#gather(
      this.#heldOut,
      Uint32Array.from({ length: rows }, (_, row) => from + row),
    );
  }

  #gather({ images, classes }: LabelledImages, chosen: Uint32Array): ImageBatch {
    const width = this.inputWidth;
    const input = new Uint8Array(chosen.length * width);
    const labels = new Uint8Array(chosen.length);
    chosen.forEach((example, row) => {
      input.set(images.values.subarray(example * width, (example + 1) * width), row * width);
      labels[row] = classes.values[example]!;
    });
    return { rows: chosen.length, input, labels };
  }
}

function examples({ images }: LabelledImages): number {
  return images.shape[0]!;
}

function pixels({ images }: LabelledImages): number {
  return images.shape.slice(1).reduce((product, size) => product * size, 1);
}

function checkPaired(name: string, { images, classes }: LabelledImages, classCount: number): void {
  if (images.shape[0] !== classes.shape[0]) {
    throw new DataFileError(`Cannot use ${name}: ${images.shape[0]} images, ${classes.shape[0]} labels`);
  }
  const wrong = classes.values.findIndex((label) => label >= classCount);
  if (wrong !== -1) {
    throw new DataFileError(
      `Cannot use ${name}: example ${wrong} is of class ${classes.values[wrong]}, classes are 0 to ${classCount - 1}`,
    );
  }
}
