import { describe, expect, it } from "vitest";
import { bytesToFloats } from "../../shared/math/convert.ts";
import type { Kernels, NarrowType } from "../../shared/math/kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { Rounding } from "../../shared/math/rounding.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "./double-oracle.ts";
import { bitsOf, guarded, haveSameBits, isIntact } from "./side-by-side.ts";

const random = seededRandom(31);
const wasm = wasmKernels();
const sides = [plainKernels(), wasm];
const types: readonly NarrowType[] = ["f16", "bf16", "i8"];
const CANARY = 0xa5;

/** In the kernels' memory, between canaries, and not aligned. */
function guardedBytes(kernels: Kernels, length: number): Uint8Array {
  const wide = kernels.allocateBytes(length + 64).fill(CANARY);
  return wide.subarray(13, 13 + length);
}

function areIntact(bytes: Uint8Array): boolean {
  const before = new Uint8Array(bytes.buffer, bytes.byteOffset - 13, 13);
  const behind = new Uint8Array(bytes.buffer, bytes.byteOffset + bytes.length, 51);
  return [...before, ...behind].every((byte) => byte === CANARY);
}

function narrowed(kernels: Kernels, type: NarrowType, values: Float32Array, rows: number, columns: number) {
  const floats = guarded(kernels, values);
  const bytes = guardedBytes(kernels, rows * columns * (type === "i8" ? 1 : 2));
  const scales = guarded(kernels, new Float32Array(rows));
  kernels.narrow(type, floats, bytes, scales, rows, columns);
  const isWhole = isIntact(floats) && areIntact(bytes) && isIntact(scales) && haveSameBits(floats, values);
  return { bytes: Uint8Array.from(bytes), scales: Float32Array.from(scales), isWhole };
}

function widened(
  kernels: Kernels,
  type: NarrowType,
  bytes: Uint8Array,
  rows: number,
  columns: number,
  scales = new Float32Array(rows),
): Float32Array {
  const from = guardedBytes(kernels, bytes.length);
  from.set(bytes);
  const to = guarded(kernels, new Float32Array(rows * columns));
  kernels.widen(type, from, guarded(kernels, scales), to, rows, columns);
  expect(isIntact(to)).toBe(true);
  return to;
}

/** Sixteen bits of one value, and back, by the wasm kernels. */
function bits(type: "f16" | "bf16", value: number): number {
  const { bytes } = narrowed(wasm, type, Float32Array.of(value), 1, 1);
  return bytes[0]! | (bytes[1]! << 8);
}

function floatOf(type: "f16" | "bf16", sixteen: number): number {
  return widened(wasm, type, Uint8Array.of(sixteen & 0xff, sixteen >> 8), 1, 1)[0]!;
}

function everySixteen(): Uint8Array {
  return new Uint8Array(Uint16Array.from(range(65_536)).buffer);
}

/** Floats of every kind: any bits, ties of both widths and their neighbours, gradients, tiny ones. */
function everyKind(length: number): Float32Array {
  const values = new Float32Array(length);
  const words = bitsOf(values);
  const word = () => Math.floor(random() * 2 ** 32);
  const kinds = [
    () => word(),
    () => (word() & 0xffffe000) | 0x1000,
    () => (word() & 0xffff0000) | 0x8000,
    () => ((word() & 0xffffe000) | 0x1000) + (random() < 0.5 ? 1 : -1),
    // Around the smallest halves, and with what they share the last bit.
    () => (word() & 0x8fffffff) | 0x30000000,
    () => word() & 0x807fffff,
  ];
  for (let i = 0; i < length; i++) words[i] = kinds[i % kinds.length]!();
  return values;
}

describe("the casts of all kernel sets", () => {
  it.each(["f16", "bf16"] as const)("widen each of the 65,536 values of %s to the same bits", (type) => {
    const [plain, fast] = sides.map((kernels) => widened(kernels, type, everySixteen(), 64, 1024));
    expect(haveSameBits(fast!, plain!)).toBe(true);
  });

  it.each(["f16", "bf16"] as const)("narrow what was %s to what it was", (type) => {
    for (const kernels of sides) {
      const { bytes } = narrowed(kernels, type, widened(kernels, type, everySixteen(), 64, 1024), 64, 1024);
      const [was, is] = [everySixteen(), bytes].map((each) => new Uint16Array(each.buffer));
      const quiet = type === "f16" ? 0x200 : 0x40;
      const infinity = type === "f16" ? 0x7c00 : 0x7f80;
      // A NaN stays one, of one kind.
      const expected = was!.map((word) =>
        (word & 0x7fff) > infinity ? (word & 0x8000) | infinity | quiet : word,
      );
      expect(Buffer.from(is!.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    }
  });

  it.each(types)("narrow floats of every kind to the same bits of %s", (type) => {
    const values = everyKind(120_000);
    for (const [rows, columns] of [
      [1, 120_000],
      [12_000, 10],
    ] as const) {
      const [plain, fast] = sides.map((kernels) => narrowed(kernels, type, values, rows, columns));
      expect(Buffer.compare(fast!.bytes, plain!.bytes)).toBe(0);
      expect(haveSameBits(fast!.scales, plain!.scales)).toBe(true);
    }
  });

  it.each(types)("give the same bits of %s for any shape, and touch nothing beside them", (type) => {
    for (const columns of range(35)) {
      const rows = 1 + ((columns * 3) % 5);
      const values = new Float32Array(rows * columns).map(() => normal(random));
      const [plain, fast] = sides.map((kernels) => narrowed(kernels, type, values, rows, columns));
      expect(fast).toEqual(plain);
      expect([plain!.isWhole, fast!.isWhole]).toEqual([true, true]);
      const [slowly, quickly] = sides.map((kernels) =>
        widened(kernels, type, plain!.bytes, rows, columns, plain!.scales),
      );
      expect(haveSameBits(quickly!, slowly!)).toBe(true);
    }
  });

  it("widen every byte of a row by its scale, −128 too", () => {
    const bytes = Uint8Array.from(range(512), (i) => i % 256);
    const scales = Float32Array.of(0.1, 3e-39);
    for (const kernels of sides) {
      const expected = Array.from(bytes, (byte, i) => Math.fround(((byte << 24) >> 24) * scales[i >> 8]!));
      expect(Array.from(widened(kernels, "i8", bytes, 2, 256, scales))).toEqual(expected);
    }
  });

  it("scale bytes as `bytesToFloats` does, to the bit", () => {
    for (const scale of [1 / 255, 0.1, 1, 3e-7, 1e39, 1e-46, -2]) {
      for (const length of [...range(20), 256]) {
        const bytes = Uint8Array.from(range(length), (i) => (i * 37) % 256);
        const expected = new Float32Array(length);
        bytesToFloats(bytes, scale, expected);
        for (const kernels of sides) {
          const from = guardedBytes(kernels, length);
          from.set(bytes);
          const to = guarded(kernels, new Float32Array(length));
          kernels.scaleBytes(from, scale, to, length);
          expect([haveSameBits(to, expected), isIntact(to)]).toEqual([true, true]);
        }
      }
    }
  });

  it("refuse arrays that are too short or not theirs", () => {
    const [floats, bytes] = [wasm.allocate(4), wasm.allocateBytes(8)];
    expect(() => wasm.narrow("f16", floats, bytes.subarray(0, 7), floats, 1, 4)).toThrow(
      "Cannot compute: an array holds 7 bytes, 8 are asked for",
    );
    expect(() => wasm.narrow("i8", floats, bytes, floats.subarray(0, 1), 2, 2)).toThrow("holds 1 floats");
    expect(() => wasm.widen("bf16", new Uint8Array(8), floats, floats, 1, 4)).toThrow(
      "an array was not allocated by these kernels",
    );
  });
});

describe("halves", () => {
  // From IEEE 754 and its tables, not from our code.
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.333251953125, 0x3555],
    [65504, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
  ])("%f is %i", (value, sixteen) => {
    expect(bits("f16", value)).toBe(sixteen);
    expect(floatOf("f16", sixteen)).toBe(value);
  });

  it("round to nearest, ties to even, also below the smallest full one", () => {
    expect(bits("f16", 1 + 2 ** -11)).toBe(0x3c00);
    expect(bits("f16", 1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(bits("f16", 1 + 2 ** -11 + 2 ** -23)).toBe(0x3c01);
    expect(bits("f16", 2 ** -25)).toBe(0);
    expect(bits("f16", 3 * 2 ** -25)).toBe(2);
    expect(bits("f16", 2 ** -25 * 1.001)).toBe(1);
    expect(bits("f16", 2 - 2 ** -13)).toBe(0x4000);
  });

  it("saturate where the float is finite, and never else", () => {
    for (const value of [65504.01, 65519, 65520, 1e6, 3.4e38]) {
      expect([bits("f16", value), bits("f16", -value)]).toEqual([0x7bff, 0xfbff]);
    }
    expect(floatOf("f16", bits("f16", Number.NaN))).toBeNaN();
  });
});

describe("bfloats", () => {
  it("are the upper halves of floats, to nearest, ties to even", () => {
    expect([bits("bf16", 1), bits("bf16", -2), bits("bf16", 0.1)]).toEqual([0x3f80, 0xc000, 0x3dcd]);
    expect([bits("bf16", 1 + 2 ** -8), bits("bf16", 1 + 3 * 2 ** -8)]).toEqual([0x3f80, 0x3f82]);
    expect(bits("bf16", 2 ** -133)).toBe(1);
    expect(floatOf("bf16", 0x3dcd)).toBe(0.10009765625);
  });

  it("saturate where the float is finite, and never else", () => {
    expect([bits("bf16", 3.4028234e38), bits("bf16", -3.4028234e38)]).toEqual([0x7f7f, 0xff7f]);
    expect(bits("bf16", Number.POSITIVE_INFINITY)).toBe(0x7f80);
    expect(floatOf("bf16", bits("bf16", Number.NaN))).toBeNaN();
  });
});

describe("rows of 8 bits", () => {
  const rowOf = (...values: number[]) => narrowed(wasm, "i8", Float32Array.from(values), 1, values.length);

  it("reach 127 at their largest value, each row by itself", () => {
    const values = Float32Array.of(1, -2, 0.5, 100, 50, -25);
    const { bytes, scales } = narrowed(wasm, "i8", values, 2, 3);
    expect([...new Int8Array(bytes.buffer)]).toEqual([64, -127, 32, 127, 64, -32]);
    expect([...scales]).toEqual([Math.fround(2 / 127), Math.fround(100 / 127)]);
  });

  it("round ties to even", () => {
    const { bytes } = rowOf(127, 0.5, 1.5, -0.5, -1.5, 2.5);
    expect([...new Int8Array(bytes.buffer)]).toEqual([127, 0, 2, 0, -2, 2]);
  });

  it("never err by more than half a step, nor leave ±127", () => {
    const values = new Float32Array(3000).map(() => normal(random) * Math.exp(20 * normal(random)));
    const { bytes, scales } = narrowed(wasm, "i8", values, 100, 30);
    const back = widened(wasm, "i8", bytes, 100, 30, scales);
    const ints = new Int8Array(bytes.buffer);
    expect(ints.some((int) => int === -128)).toBe(false);
    for (const i of range(3000)) {
      const step = scales[Math.floor(i / 30)]!;
      expect(Math.abs(back[i]! - values[i]!)).toBeLessThanOrEqual(step * (0.5 + 1e-4));
    }
  });

  it("are zero where all is zero, or too small for a scale", () => {
    for (const value of [0, -0, 1e-40, 127 * 2 ** -127]) {
      const { bytes, scales } = rowOf(value, 0, value);
      expect([...bytes, ...scales]).toEqual([0, 0, 0, 0]);
    }
    expect(rowOf(127 * 2 ** -126).scales[0]).toBe(2 ** -126);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "show %d by a scale that nobody takes",
    (poison) => {
      for (const position of range(9)) {
        const { bytes, scales } = rowOf(...range(9).map((i) => (i === position ? poison : 1)));
        expect([...scales, ...bytes]).toEqual([Number.POSITIVE_INFINITY, ...range(9).map(() => 0)]);
      }
    },
  );
});

describe("a value that is allowed on the wire", () => {
  it.each(types)("is still allowed after it was rounded to %s", (type) => {
    for (const kernels of sides) {
      const rounding = new Rounding(kernels, type, 2, 2);
      const values = guarded(kernels, Float32Array.of(1e6, 999_999.9375, -1e6, 3));
      expect(kernels.isWithin(rounding.round(values, 2), 4, 1e6)).toBe(true);
    }
  });
});
