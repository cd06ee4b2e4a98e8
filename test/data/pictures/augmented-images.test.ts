import { describe, expect, it } from "vitest";
import { AugmentedImages } from "../../../shared/data/pictures/augmented-images.ts";
import { ImageSet, type LabelledImages } from "../../../shared/data/pictures/image-set.ts";
import { range } from "../../math/double-oracle.ts";

const [PLANES, HEIGHT, WIDTH] = [2, 4, 5];
const PIXELS = PLANES * HEIGHT * WIDTH;

/** Images whose pixels all differ, none of them zero. */
function images(count: number): LabelledImages {
  const values = Uint8Array.from({ length: count * PIXELS }, (_, at) => 1 + ((at * 7) % 251));
  const classes = Uint8Array.from({ length: count }, (_, example) => example % 3);
  return {
    images: { shape: [count, PLANES, HEIGHT, WIDTH], values },
    classes: { shape: [count], values: classes },
  };
}

const plain = new ImageSet("small", 3, images(40), images(8));

/** Which of all ways to change `original`, asked pixel by pixel, gives `shown`: "down right mirrored". */
function wayOf(original: Uint8Array, shown: Uint8Array, most: number): string | undefined {
  const shifts = range(2 * most + 1).map((at) => at - most);
  const ways = shifts.flatMap((down) =>
    shifts.flatMap((right) => [false, true].map((m) => [down, right, m] as const)),
  );
  const found = ways.find(([down, right, isMirrored]) =>
    range(PIXELS).every((at) => {
      const [plane, y, x] = [Math.floor(at / (HEIGHT * WIDTH)), Math.floor(at / WIDTH) % HEIGHT, at % WIDTH];
      const [row, column] = [y - down, x - right];
      const isInside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
      const from = isMirrored ? WIDTH - 1 - column : column;
      return shown[at] === (isInside ? original[(plane * HEIGHT + row) * WIDTH + from] : 0);
    }),
  );
  return found?.join(" ");
}

function waysIn(set: AugmentedImages, most: number, batches: number): (string | undefined)[] {
  return range(batches).flatMap((number) => {
    const [shown, originals] = [set.batch(1, number, 10), plain.batch(1, number, 10)];
    expect(shown.labels).toEqual(originals.labels);
    return range(shown.rows).map((row) => {
      const [from, to] = [row * PIXELS, (row + 1) * PIXELS];
      return wayOf(originals.input.subarray(from, to), (shown.input as Uint8Array).subarray(from, to), most);
    });
  });
}

describe("augmented images", () => {
  it("are moved and mirrored originals, all planes alike, in every way there is", () => {
    const ways = waysIn(new AugmentedImages(plain, { shift: 1, mirror: true }), 1, 40);
    expect(ways).not.toContain(undefined);
    const counts = new Map<string | undefined, number>();
    for (const way of ways) counts.set(way, (counts.get(way) ?? 0) + 1);
    expect(counts.size).toBe(18);
    // 400 images, 22 of each way expected.
    expect(Math.min(...counts.values())).toBeGreaterThan(8);
  });

  it("are not mirrored, or not moved, where that is not asked for", () => {
    expect(waysIn(new AugmentedImages(plain, { shift: 2, mirror: false }), 2, 8).join()).not.toContain(
      "true",
    );
    const mirrored = waysIn(new AugmentedImages(plain, { shift: 0, mirror: true }), 1, 8);
    expect(new Set(mirrored)).toEqual(new Set(["0 0 false", "0 0 true"]));
  });

  it("are the same for the same seed and batch in whatever order, and others in the next epoch", () => {
    const how = { shift: 1, mirror: true };
    const [set, anew] = [new AugmentedImages(plain, how), new AugmentedImages(plain, how)];
    const inOrder = [0, 1, 5].map((number) => set.batch(3, number, 10));
    expect([5, 1, 0].map((number) => anew.batch(3, number, 10)).reverse()).toEqual(inOrder);
    expect(waysIn(set, 1, 4)).not.toEqual(waysIn(set, 1, 8).slice(4));
  });

  it("are evaluated as they are", () => {
    const set = new AugmentedImages(plain, { shift: 2, mirror: true });
    expect(set.evaluationParts(5)).toBe(2);
    expect(set.evaluationPart(1, 5)).toEqual(plain.evaluationPart(1, 5));
  });
});
