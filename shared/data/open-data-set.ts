import { BinaryAddition } from "./binary-addition.ts";
import type { DataConfig } from "./data-config.ts";
import type { DataSet } from "./data-set.ts";
import { openMnist } from "./mnist.ts";
import { TwoRings } from "./two-rings.ts";

/**
 * The data set a config names. MNIST is read into memory here (55 MB, a fraction of a second, synchronously).
 * Throws a DataFileError when a file is missing, damaged or of another size.
 */
export function openDataSet(config: DataConfig): DataSet {
  switch (config.set) {
    case "mnist":
      return openMnist(config.path);
    case "binary-addition":
      return new BinaryAddition(config.bits, config.heldOut);
    case "two-rings":
      return new TwoRings(config.noise, config.heldOut);
  }
}
