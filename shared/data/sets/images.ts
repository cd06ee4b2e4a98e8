import { createHash } from "node:crypto";
import { listOf, map, numberFrom, oneOf, type Read, text, wholeFrom } from "../../schema/fields.ts";
import { DataFileError } from "../data-file.ts";
import type { Batch } from "../data-set.ts";
import { dataSetKind } from "../data-set-kind.ts";
import { Examples, heldOutCount } from "../examples.ts";
import { type ImageFolders, type ImageShape, listImages, readImages } from "../pictures/image-folders.ts";
import { RowsSet } from "../rows-set.ts";

const found = map({
  classes: listOf("names", text("a name")).describe("One for each folder."),
  examples: wholeFrom(2).describe("Pictures in all folders together."),
  digest: text("SHA-256 of the pixels").describe("Of all pictures as they are learnt; others are refused."),
});

const fields = {
  path: text("a folder").describe("A folder with a folder of PNG and JPEG files for each class."),
  height: wholeFrom(1, 1024).default(32).describe("Rows that each picture is scaled to."),
  width: wholeFrom(1, 1024).default(32).describe("Columns."),
  colour: oneOf(["rgb", "grey"]).default("rgb").describe("Three numbers a pixel, or one."),
  fit: oneOf(["crop", "stretch"])
    .default("crop")
    .describe("Of another shape: scaled until it covers, and cropped to its middle; or stretched."),
  heldOut: numberFrom(0.001, 0.9)
    .default(0.2)
    .describe("Share of the pictures to evaluate on and never train on."),
  seed: wholeFrom(0).default(0).describe("Which ones those are follows from it."),
  cache: text("a folder")
    .default(".unlocked")
    .describe(
      "Where the decoded pixels are kept, so that the next start need not decode; as good as new if removed.",
    ),
  found: found.optional().describe("What was found when the run began; the run's config.yaml has it."),
};

type Written = Read<typeof fields>;
type Complete = Written & { readonly found: NonNullable<Written["found"]> };

export const images = dataSetKind<typeof fields, Complete>({
  about: "Your own pictures, a folder for each class.",
  fields,

  async look(written) {
    if (written.found) return {};
    const folders = listImages(written.path);
    const digest = digestOf(folders, await readImages(folders, shapeOf(written), written.cache));
    return { found: { classes: [...folders.classes], examples: folders.files.length, digest } };
  },

  complete(written, refuse) {
    const { found } = written;
    if (found) return { ...written, found };
    refuse("found", undefined, "the folders were not looked at, as they are where a run begins");
    return undefined;
  },

  facts(data) {
    const { height, width, channels, fit } = shapeOf(data);
    const { classes, examples } = data.found;
    return {
      inputWidth: height * width * channels,
      image: { height, width, channels },
      fit,
      labelWidth: classes.length,
      inputType: "u8",
      inputScale: 1 / 255,
      judged: "class",
      trainingExamples: examples - heldOutCount(examples, data.heldOut),
      labels: classes.map((name) => ({ name })),
    };
  },

  async open(data) {
    const folders = listImages(data.path);
    const pixels = await readImages(folders, shapeOf(data), data.cache);
    if (digestOf(folders, pixels) !== data.found.digest)
      throw new DataFileError(`Cannot use ${data.path}: its pictures have changed since this run began`);
    return new Pictures(folders, pixels, data);
  },
});

function shapeOf({ height, width, colour, fit }: Written): ImageShape {
  return { height, width, channels: colour === "rgb" ? 3 : 1, fit };
}

function digestOf({ classes, files }: ImageFolders, pixels: Uint8Array): string {
  const labels = JSON.stringify([classes, files.map((file) => file.class)]);
  return createHash("sha256").update(labels).update(pixels).digest("hex");
}

class Pictures extends RowsSet {
  readonly #folders: ImageFolders;
  readonly #pixels: Uint8Array;

  constructor(folders: ImageFolders, pixels: Uint8Array, { heldOut, seed }: Written) {
    const count = folders.files.length;
    super(1 / 255, new Examples(count, { count: heldOutCount(count, heldOut), seed }));
    this.#folders = folders;
    this.#pixels = pixels;
  }

  protected gather(chosen: readonly number[]): Batch {
    const { files } = this.#folders;
    const size = this.#pixels.length / files.length;
    const input = new Uint8Array(chosen.length * size);
    const labels = new Uint8Array(chosen.length);
    chosen.forEach((from, row) => {
      input.set(this.#pixels.subarray(from * size, (from + 1) * size), row * size);
      labels[row] = files[from]!.class;
    });
    return { rows: chosen.length, input, labels };
  }
}
