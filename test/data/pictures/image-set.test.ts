import { describe, expect, it } from "vitest";
import type { Batch } from "../../../shared/data/data-set.ts";
import { ImageSet, type LabelledImages } from "../../../shared/data/pictures/image-set.ts";

/** Images of 1 × 2 pixels: the example's number, and its class. */
function numbered(count: number, classOf = (example: number) => example % 3): LabelledImages {
  const classes = Uint8Array.from({ length: count }, (_, example) => classOf(example));
  const values = Uint8Array.from({ length: 2 * count }, (_, at) =>
    at % 2 === 0 ? at / 2 : classes[(at - 1) / 2]!,
  );
  return { images: { shape: [count, 1, 2], values }, classes: { shape: [count], values: classes } };
}

const examplesOf = (batch: Batch) => Array.from({ length: batch.rows }, (_, row) => batch.input[2 * row]!);

function epochOf(set: ImageSet, seed: number, epoch: number): number[] {
  const perEpoch = set.batchesPerEpoch(10);
  return Array.from({ length: perEpoch }, (_, part) =>
    examplesOf(set.batch(seed, epoch * perEpoch + part, 10)),
  ).flat();
}

describe("a set of images", () => {
  const set = new ImageSet("numbers", 3, numbered(103), numbered(25));

  it("shows every example exactly once an epoch, the last batch short", () => {
    expect(set.batchesPerEpoch(10)).toBe(11);
    expect(set.batch(1, 10, 10).rows).toBe(3);
    for (const epoch of [0, 1, 2]) {
      expect(epochOf(set, 1, epoch).sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i));
    }
  });

  it("shows them in another order in another epoch and under another seed", () => {
    expect(epochOf(set, 1, 0)).not.toEqual(epochOf(set, 1, 1));
    expect(epochOf(set, 1, 0)).not.toEqual(epochOf(set, 2, 0));
  });

  it("gives the same batch for the same seed and number, in whatever order it is asked", () => {
    const inOrder = [3, 4, 25].map((number) => set.batch(5, number, 10));
    const anew = new ImageSet("numbers", 3, numbered(103), numbered(25));
    const backwards = [25, 4, 3].map((number) => anew.batch(5, number, 10)).reverse();
    expect(backwards).toEqual(inOrder);
  });

  it("says the class of each row", () => {
    const { rows, input, labels } = set.batch(1, 0, 10);
    expect(labels).toHaveLength(rows);
    for (let row = 0; row < rows; row++) expect(labels[row]).toBe(input[2 * row + 1]);
  });

  it("hands out its held-out examples in parts, each once, unshuffled", () => {
    expect(set.evaluationParts(10)).toBe(3);
    const shown = [0, 1, 2].flatMap((part) => examplesOf(set.evaluationPart(part, 10)));
    expect(shown).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(() => set.evaluationPart(3, 10)).toThrow("Cannot take part 3: 25 rows have parts 0 to 2 of 10");
  });

  it("is refused when labels and images do not fit", () => {
    const odd = { images: numbered(4).images, classes: numbered(5).classes };
    expect(() => new ImageSet("odd", 3, odd, numbered(1))).toThrow(
      "Cannot use odd (training): 4 images, 5 labels",
    );
    expect(() => new ImageSet("odd", 2, numbered(4), numbered(1))).toThrow(
      "Cannot use odd (training): example 2 is of class 2, classes are 0 to 1",
    );
  });
});
