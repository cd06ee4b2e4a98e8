import { describe, expect, it } from "vitest";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";

/** Floats in a megabyte. */
const MEGABYTE = 2 ** 18;

const shape = { rows: 2, inner: 3, columns: 4 };

describe("the arena", () => {
  it("hands out zeroed arrays that do not overlap, each at the start of a cache line", () => {
    const kernels = wasmKernels({ megabytes: 1 });
    const arrays = [1, 17, 0, 5].map((length) => kernels.allocate(length));
    expect(arrays.map((array) => array.length)).toEqual([1, 17, 0, 5]);
    expect(arrays.every((array) => array.byteOffset % 64 === 0 && array.every((x) => x === 0))).toBe(true);
    arrays.forEach((array, i) => {
      array.fill(i + 1);
    });
    expect(arrays.map((array) => [...new Set(array)])).toEqual([[1], [2], [], [4]]);
  });

  it("says what is left when an array does not fit, and still takes one that does", () => {
    const kernels = wasmKernels({ megabytes: 1 });
    expect(() => kernels.allocate(MEGABYTE)).toThrow(RangeError);
    expect(() => kernels.allocate(MEGABYTE)).toThrow(
      /^Cannot allocate 262144 floats: the arena of 1 MB has room for \d+$/,
    );
    const room = Number(String(catchError(() => kernels.allocate(MEGABYTE))).match(/\d+$/)![0]);
    expect(() => kernels.allocate(room + 1)).toThrow(RangeError);
    const last = kernels.allocate(room);
    expect(() => kernels.allocate(1)).toThrow(/room for 0$/);
    // The very last float of the arena, where a whole vector must still be loaded.
    last[room - 1] = 7;
    kernels.activate("relu", last, last, room);
    expect(last[room - 1]).toBe(7);
    expect(kernels.isWithin(last.subarray(room - 1), 1, 6)).toBe(false);
  });

  it("multiplies in its last floats", () => {
    const kernels = wasmKernels({ megabytes: 1 });
    const room = Number(String(catchError(() => kernels.allocate(MEGABYTE))).match(/\d+$/)![0]);
    const last = kernels.allocate(room).fill(1);
    const [a, c] = [last.subarray(0, 40 * 3), last.subarray(1000, 1000 + 40 * 5)];
    for (const bits of [0, 1, 2, 3]) {
      const options = { transposeA: bits % 2 === 1, transposeB: bits > 1 };
      const multiply = (x: Float32Array, y: Float32Array, rows: number, columns: number) =>
        kernels.multiply(x, y, c, { rows, inner: 3, columns }, options);
      multiply(a, last.subarray(room - 15), 40, 5);
      multiply(last.subarray(room - 15), a, 5, 40);
      // Seven of the eight floats that a tile of b takes lie behind the end; of a, three of four.
      multiply(a, last.subarray(room - 3), 40, 1);
      multiply(last.subarray(room - 3), a, 1, 40);
      expect(c.every((value) => value === 3)).toBe(true);
    }
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses to allocate %d floats", (length) => {
    expect(() => wasmKernels({ megabytes: 1 }).allocate(length)).toThrow(`array of ${length} floats`);
  });

  it.each([0, -1, 0.5, Number.NaN, 4097])("cannot be of %d MB", (megabytes) => {
    expect(() => wasmKernels({ megabytes })).toThrow(`Cannot make an arena of ${megabytes} MB`);
  });

  it("keeps its arrays valid whatever is allocated later", () => {
    const kernels = wasmKernels();
    const early = kernels.allocate(4).fill(3);
    kernels.allocate(50 * MEGABYTE);
    expect(Array.from(early)).toEqual([3, 3, 3, 3]);
  });

  it("is no other kernel set's: foreign arrays are refused wherever they stand", () => {
    const [kernels, other] = [wasmKernels({ megabytes: 1 }), wasmKernels({ megabytes: 1 })];
    const own = () => [6, 12, 8].map((length) => kernels.allocate(length));
    for (const foreign of [other.allocate(12), new Float32Array(12)]) {
      for (const position of [0, 1, 2]) {
        const [a, b, c] = own().with(position, foreign);
        expect(() => kernels.multiply(a!, b!, c!, shape)).toThrow("was not allocated by these kernels");
        expect(() => kernels.subtract(a!, b!, c!, 6)).toThrow("was not allocated by these kernels");
      }
    }
    const [a, b, c] = own();
    expect(() => kernels.multiply(a!, b!, c!, shape)).not.toThrow();
  });

  it("guards an array's neighbours: an array shorter than the shape is refused", () => {
    const kernels = wasmKernels({ megabytes: 1 });
    for (const position of [0, 1, 2]) {
      const lengths = [6, 12, 8];
      const [a, b, c] = lengths
        .with(position, lengths[position]! - 1)
        .map((length) => kernels.allocate(length));
      expect(() => kernels.multiply(a!, b!, c!, shape)).toThrow(/holds \d+ floats, \d+ are asked for$/);
    }
    for (const length of [-1, Number.NaN]) {
      expect(() => kernels.isWithin(kernels.allocate(4), length, 1)).toThrow(RangeError);
    }
  });
});

function catchError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
