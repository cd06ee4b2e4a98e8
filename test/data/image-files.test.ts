import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchesPerEpoch } from "../../shared/config/data-facts.ts";
import { openDataSet } from "../../shared/data/kinds.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-images-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** `images`: of 2 × 3 pixels, all bytes of image i are i. */
function writeIdx(name: string, count: number): void {
  const bytes = (words: readonly number[]) => words.flatMap((word) => [0, 0, word >> 8, word & 255]);
  const pixels = Array.from({ length: 6 * count }, (_, at) => Math.floor(at / 6));
  const classes = Array.from({ length: count }, (_, at) => at % 4);
  const images = [0, 0, 8, 3, ...bytes([count, 2, 3]), ...pixels];
  writeFileSync(join(folder, `${name}-images-idx3-ubyte.gz`), gzipSync(Uint8Array.from(images)));
  writeFileSync(
    join(folder, `${name}-labels-idx1-ubyte`),
    Uint8Array.from([0, 0, 8, 1, ...bytes([count]), ...classes]),
  );
}

describe("images of any size in IDX files", () => {
  beforeEach(() => {
    writeIdx("train", 10);
    writeIdx("t10k", 3);
  });

  it("come with the label of their own, packed or not", async () => {
    const set = await openDataSet({ set: "idx", path: folder, examples: 10, pixels: 6, classes: 4 });
    const { input, labels } = set.batch(1, 0, 10);
    for (let row = 0; row < 10; row++) expect(labels[row]).toBe(input[6 * row]! % 4);
    expect(set.evaluationPart(0, 8).rows).toBe(3);
  });

  it.each([
    [{ examples: 9, pixels: 6, classes: 4 }, "it is 10 × 2 × 3, expected 9 images of 6 pixels"],
    [{ examples: 10, pixels: 7, classes: 4 }, "it is 10 × 2 × 3, expected 10 images of 7 pixels"],
    [{ examples: 10, pixels: 6, classes: 2 }, "example 2 is of class 2, classes are 0 to 1"],
  ])("are refused where the config counts on others: %j", async (sizes, words) => {
    await expect(openDataSet({ set: "idx", path: folder, ...sizes })).rejects.toThrow(words);
  });
});

describe("CIFAR-10 in its binary version", () => {
  it("comes plane by plane, each image with its own class", async () => {
    for (const [file, name] of [
      "data_batch_1",
      "data_batch_2",
      "data_batch_3",
      "data_batch_4",
      "data_batch_5",
      "test_batch",
    ].entries()) {
      const bytes = new Uint8Array(10_000 * 3073);
      for (let record = 0; record < 10_000; record++) {
        const start = record * 3073;
        bytes[start] = (record + file) % 10;
        bytes.fill((record + file) % 10, start + 1, start + 3073);
      }
      writeFileSync(join(folder, `${name}.bin`), bytes);
    }
    const set = await openDataSet({ set: "cifar-10", path: folder });
    expect(batchesPerEpoch({ set: "cifar-10", path: folder }, 64)).toBe(782);
    for (const { rows, input, labels } of [set.batch(1, 3, 16), set.evaluationPart(0, 16)]) {
      for (let row = 0; row < rows; row++) {
        const image = input.subarray(3072 * row, 3072 * (row + 1));
        expect(new Set(image)).toEqual(new Set([labels[row]]));
      }
    }
    writeFileSync(join(folder, "test_batch.bin"), new Uint8Array(7));
    await expect(openDataSet({ set: "cifar-10", path: folder })).rejects.toThrow(
      "it has 7 bytes, expected 30730000",
    );
  });
});
