import { describe, expect, test } from "vitest";
import { bytesToFloats } from "../../shared/math/convert.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode, type LinkDtype, type Tensor } from "../../shared/wire/frames.ts";
import { floatsToTensor, LARGEST_VALUE, TensorReader, TensorWriter } from "../../shared/wire/tensor.ts";

const LINK_DTYPES: readonly LinkDtype[] = ["f32", "f16", "bf16", "i8"];

function floatTensor(values: number[], offset = 0): Tensor {
  return { dtype: "f32", shape: [1, values.length], data: bytesAt(new Float32Array(values), offset) };
}

/** The same bytes, at another offset of their memory. */
function bytesAt(values: Float32Array | Uint16Array | Int8Array, offset = 0): Uint8Array {
  const room = new Uint8Array(offset + values.byteLength).subarray(offset);
  room.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return room;
}

function rowsOfInts(ints: number[][], scales: number[], offset = 0): Tensor {
  return {
    dtype: "i8",
    shape: [ints.length, ints[0]!.length],
    scales: bytesAt(new Float32Array(scales), offset),
    data: bytesAt(new Int8Array(ints.flat()), offset),
  };
}

describe.each([
  ["plain", plainKernels()],
  ["wasm", wasmKernels()],
] as const)("with %s kernels, the values of a tensor", (_, kernels: Kernels) => {
  function read(tensor: Tensor, room = tensor.shape[0] * tensor.shape[1], rows = 4): number[] {
    const floats = kernels.allocate(room).fill(9);
    new TensorReader(kernels, floats, rows).read(tensor);
    return [...floats];
  }

  test.each([0, 1, 2, 3])("are copied from offset %i, aligned or not", (offset) => {
    const values = [0, -1.5, 0.1, LARGEST_VALUE];
    expect(read(floatTensor(values, offset))).toEqual(values.map(Math.fround));
    const halves = bytesAt(Uint16Array.of(0x3c00, 0xc000, 0x0001), offset);
    expect(read({ dtype: "f16", shape: [1, 3], data: halves })).toEqual([1, -2, 2 ** -24]);
    const bfloats = bytesAt(Uint16Array.of(0x3f80, 0xc000, 0x3dcd), offset);
    expect(read({ dtype: "bf16", shape: [1, 3], data: bfloats })).toEqual([1, -2, 0.10009765625]);
    const ints = rowsOfInts(
      [
        [1, -127],
        [127, 0],
      ],
      [0.5, 2],
      offset,
    );
    expect(read(ints)).toEqual([0.5, -63.5, 254, 0]);
  });

  test("stay when the receive buffer is used again", () => {
    const bytes = encode({ kind: "gradient", batch: 1, gradient: floatTensor([1, 2, 3]) });
    const frame = decode(bytes, { maxFrameBytes: 1000 });
    if (frame.kind !== "gradient" || frame.gradient === undefined) throw new Error("no gradient");
    const floats = kernels.allocate(3);
    const reader = new TensorReader(kernels, floats, 1);
    reader.read(frame.gradient);
    bytes.fill(0);
    expect([...floats]).toEqual([1, 2, 3]);
    // The control: the decoded tensor itself does alias the buffer.
    expect([...frame.gradient.data]).toEqual(new Array(12).fill(0));
  });

  test("go to the front of a longer array, whose rest stays", () => {
    expect(read(floatTensor([1, 2]), 3)).toEqual([1, 2, 9]);
    expect(read(rowsOfInts([[1, 2, 3]], [1]), 5)).toEqual([1, 2, 3, 9, 9]);
  });

  test("are refused where there is too little room for them", () => {
    expect(() => read(floatTensor([1, 2, 3, 4]), 3)).toThrow(
      new RangeError("Cannot read 1×4 values: there is room for 4 rows, 3 values"),
    );
    expect(() => read(rowsOfInts([[1], [2]], [1, 1]), 9, 1)).toThrow("Cannot read 2×1 values");
  });

  test("go to the middle of a larger memory, and touch nothing else in it", () => {
    const memory = kernels.allocate(4).fill(9);
    new TensorReader(kernels, memory.subarray(1, 3), 1).read(floatTensor([1, 2]));
    expect([...memory]).toEqual([9, 1, 2, 9]);
  });

  test("of one tensor after another are those of the last, one read before included", () => {
    const floats = kernels.allocate(2);
    const reader = new TensorReader(kernels, floats, 1);
    const [first, second] = [floatTensor([1, 2]), floatTensor([3, 4])];
    for (const [tensor, values] of [
      [first, [1, 2]],
      [second, [3, 4]],
      [first, [1, 2]],
    ] as const) {
      reader.read(tensor);
      expect([...floats]).toEqual(values);
    }
    // A refusal leaves rubbish, not what was there before.
    expect(() => reader.read(floatTensor([5, Number.NaN]))).toThrow(FrameError);
    reader.read(first);
    expect([...floats]).toEqual([1, 2]);
  });

  test("of bytes are byte × scale, rounded once to float32, as the mathematics rooms make them", () => {
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const scale of [1 / 255, 0.1, 1, 3e-7]) {
      const values = read({ dtype: "u8", shape: [2, 128], scale, data });
      expect(values).toEqual([...data].map((byte) => Math.fround(byte * scale)));
      const there = new Float32Array(256);
      bytesToFloats(data, scale, there);
      expect(values).toEqual([...there]);
    }
    expect(read({ dtype: "u8", shape: [1, 256], data })).toEqual([...data]);
  });

  describe("are poison, and refused:", () => {
    function poisonCode(tensor: Tensor): number | undefined {
      try {
        read(tensor);
      } catch (error) {
        if (error instanceof FrameError) return error.code;
        throw error;
      }
      return undefined;
    }

    const justTooLarge = Math.fround(1_000_000.0625);
    const values = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      justTooLarge,
      -justTooLarge,
      3e38,
    ];
    test.each(values)("%f, wherever it is", (value) => {
      expect(poisonCode(floatTensor([value, 0, 0]))).toBe(CloseCode.nonFinite);
      expect(poisonCode(floatTensor([0, 0, value]))).toBe(CloseCode.nonFinite);
    });

    test.each([0, -0, LARGEST_VALUE, -LARGEST_VALUE, 1e-40])("not %f", (value) => {
      expect(poisonCode(floatTensor([value]))).toBeUndefined();
    });

    test.each([
      ["f16", 0x7c00],
      ["f16", 0xfc00],
      ["f16", 0x7e00],
      ["f16", 0x7c01],
      ["bf16", 0x7f80],
      ["bf16", 0x7fc0],
      ["bf16", 0x4975],
    ] as const)("%s of the bits %i", (dtype, bits) => {
      const tensor = { dtype, shape: [1, 2] as const, data: bytesAt(Uint16Array.of(0, bits)) };
      expect(poisonCode(tensor)).toBe(CloseCode.nonFinite);
      // One step smaller is not: the largest half, and the largest bfloat below the bound.
      const largest = bytesAt(Uint16Array.of(0, dtype === "f16" ? 0x7bff : 0x4974));
      expect(poisonCode({ ...tensor, data: largest })).toBeUndefined();
    });

    test("what a scale makes of bytes", () => {
      const data = new Uint8Array([0, 255]);
      for (const scale of [1e39, 1e4]) {
        expect(poisonCode({ dtype: "u8", shape: [1, 2], scale, data })).toBe(CloseCode.nonFinite);
      }
      expect(poisonCode({ dtype: "u8", shape: [1, 2], scale: 1e3, data })).toBeUndefined();
    });

    test("a row's scale that is no size, even where all bytes are zero", () => {
      for (const scale of [Number.NaN, Number.POSITIVE_INFINITY, -1, -1e-30, 1.1e6]) {
        const tensor = rowsOfInts([[1], [0]], [1, scale]);
        expect(poisonCode(tensor)).toBe(CloseCode.nonFinite);
        expect(() => read(tensor)).toThrow("Cannot take tensor: the scale of row 1 is ");
      }
      expect(poisonCode(rowsOfInts([[127], [1]], [7874, 1e6]))).toBeUndefined();
      expect(poisonCode(rowsOfInts([[127], [1]], [7875, 1]))).toBe(CloseCode.nonFinite);
    });

    test("and named with their place", () => {
      expect(() => read(floatTensor([1, Number.NaN]))).toThrow(
        "Cannot take tensor: value 1 is NaN, beyond ±1000000",
      );
    });
  });

  describe("that are written", () => {
    function written(dtype: LinkDtype, values: number[], rows = 2, columns = values.length / rows) {
      const floats = kernels.allocate(values.length);
      floats.set(values);
      return new TensorWriter(kernels, dtype, rows, columns).write(floats, rows);
    }

    test.each(LINK_DTYPES)("as %s survive the wire", (dtype) => {
      const values = [0, -127, 64, 1, 2, 127];
      const gradient = written(dtype, values);
      expect(gradient).toMatchObject({ dtype, shape: [2, 3] });
      const frame = decode(encode({ kind: "gradient", batch: 0, gradient }), { maxFrameBytes: 1000 });
      if (frame.kind !== "gradient" || frame.gradient === undefined) throw new Error("no gradient");
      expect(read(frame.gradient)).toEqual(values);
    });

    test.each([
      ["f32", 64 * 256 * 4],
      ["f16", 64 * 256 * 2],
      ["bf16", 64 * 256 * 2],
      ["i8", 64 * 256 + 64 * 4],
    ] as const)("as %s take %i bytes for 64×256", (dtype, bytes) => {
      const { data, scales } = written(dtype, new Array(64 * 256).fill(1), 64);
      expect(data.length + (scales?.length ?? 0)).toBe(bytes);
    });

    test.each(LINK_DTYPES)("as %s for fewer rows than there is room for are those rows alone", (dtype) => {
      const floats = kernels.allocate(6);
      floats.set([1, 2, 4, 8, 127, 3]);
      const writer = new TensorWriter(kernels, dtype, 3, 2);
      expect(read(writer.write(floats, 3)).length).toBe(6);
      const tensor = writer.write(floats.subarray(2, 4), 1);
      expect(tensor.shape).toEqual([1, 2]);
      const [first, second] = read(tensor);
      expect([first, second]).toEqual([dtype === "i8" ? expect.closeTo(4, 1) : 4, 8]);
    });

    test.each(LINK_DTYPES)("as %s are the newest, though the tensor object may be the same", (dtype) => {
      const floats = kernels.allocate(2).fill(1);
      const writer = new TensorWriter(kernels, dtype, 1, 2);
      const tensor = writer.write(floats, 1);
      floats.fill(2);
      expect(writer.write(floats, 1)).toBe(tensor);
      expect(read(tensor)).toEqual([2, 2]);
    });

    test.each(LINK_DTYPES)(
      "as %s are taken up to the largest value, which never turns to poison",
      (dtype) => {
        const back = read(written(dtype, [LARGEST_VALUE, -LARGEST_VALUE, 999_999.9375, 1], 2));
        const largest = { f32: LARGEST_VALUE, f16: 65504, bf16: 999_424, i8: LARGEST_VALUE }[dtype];
        expect(back[0]).toBeCloseTo(largest, 0);
        expect(back[1]).toBeCloseTo(-largest, 0);
      },
    );
  });
});

describe("floats become a tensor", () => {
  test("that aliases them, from the middle of a larger memory too", () => {
    const memory = new Float32Array([9, 1, 2, 3, 4, 9]);
    const tensor = floatsToTensor(memory.subarray(1, 5), 2, 2);
    expect(tensor).toMatchObject({ dtype: "f32", shape: [2, 2] });
    memory[1] = 7;
    expect([...new Float32Array(Uint8Array.from(tensor.data).buffer)]).toEqual([7, 2, 3, 4]);
  });

  test("only where there are enough of them", () => {
    expect(() => floatsToTensor(new Float32Array(3), 2, 2)).toThrow(
      "Cannot make a tensor of 2×2: the array holds 3 values",
    );
  });
});
