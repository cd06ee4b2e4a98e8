import { join } from "node:path";
import { text } from "../../schema/fields.ts";
import { DataFileError, readBytes } from "../data-file.ts";
import { dataSetKind } from "../data-set-kind.ts";
import { augment, augmentationOf, augmented } from "../pictures/augmentation.ts";
import { ImageSet, type LabelledImages } from "../pictures/image-set.ts";

const CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
const CIFAR_PIXELS = 3 * 32 * 32;
const RECORD_BYTES = 1 + CIFAR_PIXELS;
const RECORDS = 10_000;
const TRAINING_FILES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);

export const cifar10 = dataSetKind({
  about: "Small photographs: 3,072 inputs, 10 classes, 50,000 to train on.",
  fields: {
    path: text("a folder").describe("Folder with the six files of the binary version, plain or .gz."),
    augment,
  },

  complete({ path, augment }) {
    return { path, ...augmentationOf(augment) };
  },

  facts() {
    return {
      inputWidth: CIFAR_PIXELS,
      labelWidth: 10,
      inputType: "u8",
      inputScale: 1 / 255,
      judged: "class",
      trainingExamples: TRAINING_FILES.length * RECORDS,
      labels: CLASSES.map((name) => ({ name })),
    };
  },

  open({ path, augment }) {
    return augmented(readCifar10(path), augment);
  },
});

/**
 * CIFAR-10 in its binary version (Krizhevsky 2009): six files of 10,000 records, each a class and 3,072 bytes, the red
 * plane of 32 × 32 first, then green and blue. Plain or packed with gzip. Throws a DataFileError.
 */
function readCifar10(folder: string): ImageSet {
  const training = recordsOf(TRAINING_FILES.map((file) => join(folder, file)));
  return new ImageSet("cifar-10", 10, training, recordsOf([join(folder, "test_batch.bin")]));
}

function recordsOf(paths: readonly string[]): LabelledImages {
  const images = new Uint8Array(paths.length * RECORDS * CIFAR_PIXELS);
  const classes = new Uint8Array(paths.length * RECORDS);
  paths.forEach((path, file) => {
    const bytes = readRecords(path);
    for (let record = 0; record < RECORDS; record++) {
      const [from, at] = [record * RECORD_BYTES, file * RECORDS + record];
      classes[at] = bytes[from]!;
      images.set(bytes.subarray(from + 1, from + RECORD_BYTES), at * CIFAR_PIXELS);
    }
  });
  const examples = classes.length;
  return {
    images: { shape: [examples, 3, 32, 32], values: images },
    classes: { shape: [examples], values: classes },
  };
}

function readRecords(path: string): Uint8Array {
  const bytes = readBytes(path);
  const expected = RECORDS * RECORD_BYTES;
  if (bytes.length === expected) return bytes;
  throw new DataFileError(`Cannot use ${path}: it has ${bytes.length} bytes, expected ${expected}`);
}
