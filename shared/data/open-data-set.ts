import { AugmentedImages } from "./augmented-images.ts";
import { BinaryAddition } from "./binary-addition.ts";
import { readCifar10 } from "./cifar.ts";
import type { Augmentation, DataConfig } from "./data-config.ts";
import type { DataSet } from "./data-set.ts";
import type { ImageSet } from "./image-set.ts";
import { openMnist, readIdxSet } from "./mnist.ts";
import { TwoRings } from "./two-rings.ts";

/**
 * The data set a config names. MNIST is read into memory here (55 MB, a fraction of a second, synchronously).
 * Throws a DataFileError when a file is missing, damaged or of another size.
 */
export function openDataSet(config: DataConfig): DataSet {
  switch (config.set) {
    case "mnist":
      return augmented(openMnist(config.path), config.augment);
    case "idx":
      return augmented(readIdxSet(config.path, config), config.augment);
    case "cifar-10":
      return augmented(readCifar10(config.path), config.augment);
    case "binary-addition":
      return new BinaryAddition(config.bits, config.heldOut, config.pairs);
    case "two-rings":
      return new TwoRings(config.noise, config.heldOut);
  }
}

function augmented(images: ImageSet, how: Augmentation | undefined): DataSet {
  return how ? new AugmentedImages(images, how) : images;
}
