import { flag, map, wholeFrom } from "../../schema/fields.ts";
import type { DataSet } from "../data-set.ts";
import { AugmentedImages } from "./augmented-images.ts";
import type { ImageSet } from "./image-set.ts";

/** What happens to an image each time it is trained on. */
export interface Augmentation {
  /** Moved by up to so many pixels up or down and left or right, each as likely; zeros come in. */
  readonly shift: number;
  /** Left for right, every other time. */
  readonly mirror: boolean;
}

/** An entry of every set of images. */
export const augment = map({
  shift: wholeFrom(0, 32)
    .default(0)
    .describe("Pixels that an image is moved by at most, both ways; zeros come in."),
  mirror: flag().default(false).describe("Left for right, every other time."),
})
  .optional()
  .describe("What is done to an image each time it is trained on. Default nothing.");

/** Nothing where it would change nothing. */
export function augmentationOf(how: Augmentation | undefined): { readonly augment?: Augmentation } {
  return how && (how.shift > 0 || how.mirror) ? { augment: how } : {};
}

export function augmented(images: ImageSet, how: Augmentation | undefined): DataSet {
  return how ? new AugmentedImages(images, how) : images;
}
