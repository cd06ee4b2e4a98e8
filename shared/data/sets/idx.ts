import { join } from "node:path";
import { text, wholeFrom } from "../../schema/fields.ts";
import { DataFileError } from "../data-file.ts";
import { dataSetKind, numbered } from "../data-set-kind.ts";
import { readFour } from "../idx-files.ts";
import { augment, augmentationOf, augmented } from "../pictures/augmentation.ts";
import { ImageSet } from "../pictures/image-set.ts";

export const idx = dataSetKind({
  about: "Any images in four IDX files that are named as those of MNIST.",
  fields: {
    path: text("a folder").describe("Folder with these files, plain or .gz."),
    examples: wholeFrom(1).describe("Images to train on."),
    pixels: wholeFrom(1, 65_536).describe("Bytes of an image: the inputs."),
    classes: wholeFrom(2, 256).default(10).describe("Labels are 0 to classes − 1."),
    augment,
  },

  complete({ augment, ...files }) {
    return { ...files, ...augmentationOf(augment) };
  },

  facts({ examples, pixels, classes }) {
    return {
      inputWidth: pixels,
      labelWidth: classes,
      inputType: "u8",
      inputScale: 1 / 255,
      judged: "class",
      trainingExamples: examples,
      labels: numbered(classes),
    };
  },

  open({ augment, ...data }) {
    return augmented(readIdxSet(data.path, data), augment);
  },
});

/** What a config says of a set before any of its files is read. */
interface IdxSizes {
  /** To train on. */
  readonly examples: number;
  /** Of one image. */
  readonly pixels: number;
  readonly classes: number;
}

function readIdxSet(folder: string, { examples, pixels, classes }: IdxSizes): ImageSet {
  const { training, heldOut } = readFour(folder);
  const [found, ...shape] = training.images.shape as [number, ...number[]];
  if (found !== examples || shape.reduce((product, size) => product * size, 1) !== pixels) {
    const path = join(folder, "train-images-idx3-ubyte");
    const is = training.images.shape.join(" × ");
    throw new DataFileError(
      `Cannot use ${path}: it is ${is}, expected ${examples} images of ${pixels} pixels`,
    );
  }
  return new ImageSet("idx", classes, training, heldOut);
}
