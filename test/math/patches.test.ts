import { describe, expect, it } from "vitest";
import type { PatchShape } from "../../shared/math/kernels.ts";
import { patchesOf } from "../../shared/math/patches.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "./double-oracle.ts";
import { drawer } from "./products.ts";
import { guarded, haveSameBits, isIntact } from "./side-by-side.ts";

const random = seededRandom(12);
const { drawn, whole } = drawer(random);
const plain = plainKernels();

/** Every remainder of a vector, kernels as large as the image, strides that do and do not divide, padding that hides a row. */
const shapes = range(80).map((): PatchShape => {
  const kernel = 1 + whole(5);
  const padding = whole(kernel);
  const size = () => Math.max(1, kernel - 2 * padding) + whole(6);
  return { height: size(), width: size(), channels: 1 + whole(9), kernel, stride: 1 + whole(3), padding };
});

const sizeOf = ({ height, width, channels }: PatchShape) => height * width * channels;
const patchFloats = (shape: PatchShape) => patchesOf(shape).places * patchesOf(shape).length;

/** The definition, one float at a time. */
function unfoldedByHand(images: Float32Array, shape: PatchShape, rows: number): number[] {
  const { height, width, channels, kernel, stride, padding } = shape;
  const { down, across } = patchesOf(shape);
  return range(rows * down * across * kernel * kernel * channels).map((i) => {
    const channel = i % channels;
    const inPatch = Math.floor(i / channels) % (kernel * kernel);
    const place = Math.floor(i / (channels * kernel * kernel)) % (down * across);
    const row = Math.floor(i / (channels * kernel * kernel * down * across));
    const y = Math.floor(place / across) * stride - padding + Math.floor(inPatch / kernel);
    const x = (place % across) * stride - padding + (inPatch % kernel);
    const isInside = y >= 0 && y < height && x >= 0 && x < width;
    return isInside ? images[((row * height + y) * width + x) * channels + channel]! : 0;
  });
}

describe.each([
  ["plain", plain],
  ["wasm", wasmKernels()],
])("patches by the %s kernels", (_, kernels) => {
  const rows = 3;

  it("are what the kernel covers, zero outside the image", () => {
    for (const shape of shapes) {
      const images = drawn(rows * sizeOf(shape));
      const [from, patches] = [guarded(kernels, images), guarded(kernels, drawn(rows * patchFloats(shape)))];
      kernels.unfold(from, patches, shape, rows);
      const expected = Float32Array.from(unfoldedByHand(images, shape, rows));
      const claim = JSON.stringify(shape);
      expect(haveSameBits(patches, expected), claim).toBe(true);
      expect([haveSameBits(from, images), isIntact(from), isIntact(patches)], claim).toEqual([
        true,
        true,
        true,
      ]);
    }
  });

  it("fold back as the transpose: both have the same scalar products", () => {
    for (const shape of shapes) {
      const [images, patches] = [drawn(rows * sizeOf(shape)), drawn(rows * patchFloats(shape))];
      const [from, back] = [guarded(kernels, patches), guarded(kernels, drawn(images.length))];
      kernels.fold(from, back, shape, rows);
      const unfolded = unfoldedByHand(images, shape, rows);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        range(a.length).reduce((sum, i) => sum + a[i]! * b[i]!, 0);
      const claim = JSON.stringify(shape);
      expect(Math.abs(dot(back, images) - dot(patches, unfolded)), claim).toBeLessThan(1e-3);
      expect([haveSameBits(from, patches), isIntact(from), isIntact(back)], claim).toEqual([
        true,
        true,
        true,
      ]);
    }
  });
});

describe("patches", () => {
  it("are as many as the stride leaves places for", () => {
    const mnist = { height: 28, width: 28, channels: 1, kernel: 5, stride: 2, padding: 2 };
    expect(patchesOf(mnist)).toEqual({ down: 14, across: 14, places: 196, length: 25 });
    expect(patchesOf({ ...mnist, padding: 0, stride: 3, width: 10 })).toMatchObject({ down: 8, across: 2 });
  });
});
