import { describe, expect, test } from "vitest";
import { bytesToFloats } from "../../shared/math/convert.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode, type Tensor } from "../../shared/wire/frames.ts";
import { floatsToTensor, LARGEST_VALUE, tensorToFloats } from "../../shared/wire/tensor.ts";

function floatTensor(values: number[], offset = 0): Tensor {
  const room = new Uint8Array(offset + values.length * 4);
  const view = new DataView(room.buffer);
  values.forEach((value, index) => {
    view.setFloat32(offset + index * 4, value, true);
  });
  return { dtype: "f32", shape: [1, values.length], data: room.subarray(offset) };
}

function poisonCode(tensor: Tensor): number | undefined {
  try {
    tensorToFloats(tensor, new Float32Array(tensor.shape[0] * tensor.shape[1]));
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  return undefined;
}

describe("the values of a tensor", () => {
  test.each([0, 1, 2, 3])("are copied from offset %i, aligned or not", (offset) => {
    const values = [0, -1.5, 0.1, LARGEST_VALUE];
    const out = new Float32Array(4);
    tensorToFloats(floatTensor(values, offset), out);
    expect([...out]).toEqual(values.map(Math.fround));
  });

  test("stay when the receive buffer is used again", () => {
    const bytes = encode({ kind: "gradient", batch: 1, gradient: floatTensor([1, 2, 3]) });
    const frame = decode(bytes, { maxFrameBytes: 1000 });
    if (frame.kind !== "gradient" || frame.gradient === undefined) throw new Error("no gradient");
    const out = new Float32Array(3);
    tensorToFloats(frame.gradient, out);
    bytes.fill(0);
    expect([...out]).toEqual([1, 2, 3]);
    // The control: the decoded tensor itself does alias the buffer.
    expect([...frame.gradient.data]).toEqual(new Array(12).fill(0));
  });

  test("go to the front of a longer array, whose rest stays", () => {
    const out = new Float32Array([9, 9, 9]);
    tensorToFloats(floatTensor([1, 2]), out);
    expect([...out]).toEqual([1, 2, 9]);
    expect(() => tensorToFloats(floatTensor([1, 2, 3, 4]), out)).toThrow(
      new RangeError("Cannot copy 4 values: the array holds 3"),
    );
  });

  test("go to the middle of a larger memory, and touch nothing else in it", () => {
    const memory = new Float32Array([9, 9, 9, 9]);
    tensorToFloats(floatTensor([1, 2]), memory.subarray(1, 3));
    expect([...memory]).toEqual([9, 1, 2, 9]);
  });

  test("are byte × scale, rounded once to float32", () => {
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const out = new Float32Array(256);
    tensorToFloats({ dtype: "u8", shape: [1, 256], scale: 1 / 255, data }, out);
    expect([...out]).toEqual([...data].map((byte) => Math.fround(byte * (1 / 255))));
    tensorToFloats({ dtype: "u8", shape: [1, 256], data }, out);
    expect([...out]).toEqual([...data]);
  });

  test("of bytes are the same as the mathematics rooms make of them", () => {
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const scale of [1 / 255, 0.1, 1, 3e-7]) {
      const [here, there] = [new Float32Array(256), new Float32Array(256)];
      tensorToFloats({ dtype: "u8", shape: [2, 128], scale, data }, here);
      bytesToFloats(data, scale, there);
      expect(here).toEqual(there);
    }
  });
});

describe("poison", () => {
  const justTooLarge = Math.fround(1_000_000.0625);
  const values = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    justTooLarge,
    -justTooLarge,
    3e38,
  ];
  test.each(values)("%f is refused, wherever it is", (value) => {
    expect(poisonCode(floatTensor([value, 0, 0]))).toBe(CloseCode.nonFinite);
    expect(poisonCode(floatTensor([0, 0, value]))).toBe(CloseCode.nonFinite);
  });

  test.each([0, -0, LARGEST_VALUE, -LARGEST_VALUE, 1e-40])("%f is not poison", (value) => {
    expect(poisonCode(floatTensor([value]))).toBeUndefined();
  });

  test("comes from a scale as well", () => {
    const data = new Uint8Array([0, 255]);
    for (const scale of [1e39, 1e4]) {
      expect(poisonCode({ dtype: "u8", shape: [1, 2], scale, data })).toBe(CloseCode.nonFinite);
    }
    expect(poisonCode({ dtype: "u8", shape: [1, 2], scale: 1e3, data })).toBeUndefined();
  });

  test("is named with its place", () => {
    const out = new Float32Array(2);
    expect(() => tensorToFloats(floatTensor([1, Number.NaN]), out)).toThrow(
      "Cannot take tensor: value 1 is NaN, beyond ±1000000",
    );
  });
});

describe("floats become a tensor", () => {
  test("that aliases them, from the middle of a larger memory too", () => {
    const memory = new Float32Array([9, 1, 2, 3, 4, 9]);
    const tensor = floatsToTensor(memory.subarray(1, 5), 2, 2);
    expect(tensor).toMatchObject({ dtype: "f32", shape: [2, 2] });
    memory[1] = 7;
    const out = new Float32Array(4);
    tensorToFloats(tensor, out);
    expect([...out]).toEqual([7, 2, 3, 4]);
  });

  test("only where there are enough of them", () => {
    expect(() => floatsToTensor(new Float32Array(3), 2, 2)).toThrow(
      "Cannot make a tensor of 2×2: the array holds 3 values",
    );
  });
});
