import type { Fields, Tensor } from "./frame.ts";
import { Broken } from "./peer.ts";

/** Bytes of one number. */
const BYTES: Readonly<Record<string, number>> = { f32: 4, f16: 2, bf16: 2, i8: 1, u8: 1, u16: 2 };

/** 0.5 and 0.75, exact in each dtype. i8 and u8: bytes 64 and 96, under a scale of 1/128. */
const HALF: Readonly<Record<string, readonly [string, string]>> = {
  f32: ["0000003f", "0000403f"],
  f16: ["0038", "003a"],
  bf16: ["003f", "403f"],
  i8: ["40", "60"],
  u8: ["40", "60"],
};
const SCALE_I8 = "0000003c";
const SCALE_U8 = 1 / 128;

/** Numbers that look like learning: 0, 0.5 or 0.75, in an order that `salt` chooses. */
export function tensor(dtype: string, rows: number, columns: number, salt: number): Tensor {
  const zero = "00".repeat(BYTES[dtype]!);
  const choices = [zero, ...HALF[dtype]!];
  const hex = Array.from({ length: rows * columns }, (_, index) => choices[mix(index, salt) % 3]);
  return scaled(dtype, [rows, columns], Buffer.from(hex.join(""), "hex"));
}

function scaled(dtype: string, shape: readonly [number, number], data: Buffer): Tensor {
  const scales = dtype === "i8" && { scales: Buffer.from(SCALE_I8.repeat(shape[0]), "hex") };
  return { dtype, shape, ...scales, ...(dtype === "u8" && { scale: SCALE_U8 }), data };
}

/** Classes, as many as `count`, or bits where that is undefined. */
export function labels(rows: number, columns: number, count: number | undefined, salt: number): Tensor {
  const dtype = count === undefined || count <= 256 ? "u8" : "u16";
  const data = Buffer.alloc(rows * columns * BYTES[dtype]!);
  for (let at = 0; at < rows * columns; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const value = mix(column, salt + row) % (count ?? 2);
    if (dtype === "u16") data.writeUInt16LE(value, 2 * at);
    else data[at] = value;
  }
  return { dtype, shape: [rows, columns], data };
}

function mix(index: number, salt: number): number {
  const product = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  return ((product ^ (product >>> 13)) >>> 3) & 0xffff;
}

/**
 * With the number at `index` written anew: hex, little-endian. With a scale (for i8 of its row, for u8 of all) every other
 * number under it is 0.
 */
export function withNumber(from: Tensor, index: number, hex: string, scaleHex?: string): Tensor {
  const bytes = Buffer.from(hex, "hex");
  const data = Buffer.from(from.data);
  const columns = from.shape[1];
  const row = Math.floor(index / columns);
  if (scaleHex !== undefined && from.dtype === "u8") data.fill(0);
  if (scaleHex !== undefined && from.dtype === "i8") data.fill(0, row * columns, (row + 1) * columns);
  bytes.copy(data, index * bytes.length);
  if (scaleHex === undefined) return { ...from, data };
  if (from.dtype === "u8") return { ...from, data, scale: Buffer.from(scaleHex, "hex").readFloatLE() };
  const scales = Buffer.from(from.scales!);
  Buffer.from(scaleHex, "hex").copy(scales, 4 * row);
  return { ...from, data, scales };
}

/** A tensor that came, or why it is none that PROTOCOL.md would have. */
export function readTensor(value: unknown, dtype: string, rows: number, columns: number): Tensor {
  const found = value as Tensor | undefined;
  if (typeof found !== "object" || found === null) throw new Broken("expected a tensor, got none");
  const fields = Object.keys(found).sort().join(" ");
  const expected = dtype === "i8" ? "data dtype scales shape" : "data dtype shape";
  const isScaled = dtype === "u8" && fields === "data dtype scale shape";
  if (fields !== expected && !isScaled) throw new Broken(`expected a tensor of ${expected}, got ${fields}`);
  if (found.dtype !== dtype) throw new Broken(`expected dtype ${dtype}, got ${found.dtype}`);
  const shape = `${found.shape[0]}×${found.shape[1]}`;
  if (shape !== `${rows}×${columns}`) throw new Broken(`expected ${rows}×${columns}, got ${shape}`);
  const bytes = rows * columns * BYTES[dtype]!;
  if (found.data.length !== bytes) throw new Broken(`expected ${bytes} bytes, got ${found.data.length}`);
  requireWritten(found, rows, columns);
  return found;
}

/** What a sender may not write: numbers that are not finite or too large, and for i8 rows that do not use their scale. */
function requireWritten(found: Tensor, rows: number, columns: number): void {
  const values = valuesOf(found, rows, columns);
  const wrong = values.findIndex((value) => !(Math.abs(value) <= 1_000_000));
  if (wrong >= 0) throw new Broken(`number ${wrong} of the tensor is ${values[wrong]}`);
  if (found.dtype !== "i8") return;
  for (let row = 0; row < rows; row++) {
    const bytes = [...found.data.subarray(row * columns, (row + 1) * columns)].map(
      (byte) => (byte << 24) >> 24,
    );
    const most = Math.max(...bytes.map(Math.abs));
    const scale = found.scales!.readFloatLE(4 * row);
    if (scale === 0 ? most !== 0 : most !== 127 || scale < 2 ** -126)
      throw new Broken(`row ${row} has scale ${scale} and ±${most} as its largest byte, expected ±127`);
  }
}

/** As numbers, from the table of PROTOCOL.md. */
export function valuesOf(
  { dtype, data, scales, scale = 1 }: Tensor,
  rows: number,
  columns: number,
): number[] {
  return Array.from({ length: rows * columns }, (_, index) => {
    switch (dtype) {
      case "f32":
        return data.readFloatLE(4 * index);
      case "f16":
        return half(data.readUInt16LE(2 * index));
      case "bf16":
        return upperHalf(data.readUInt16LE(2 * index));
      case "i8":
        return data.readInt8(index) * scales!.readFloatLE(4 * Math.floor(index / columns));
      default:
        return data[index]! * scale;
    }
  });
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function upperHalf(bits: number): number {
  const word = Buffer.alloc(4);
  word.writeUInt16LE(bits, 2);
  return word.readFloatLE();
}

export function sameBytes(one: Fields | undefined, other: Fields | undefined): boolean {
  const [a, b] = [one, other] as [Tensor | undefined, Tensor | undefined];
  if (!a || !b) return a === b;
  const isSame = (left?: Buffer, right?: Buffer) => (left && right ? left.equals(right) : left === right);
  return isSame(a.data, b.data) && isSame(a.scales, b.scales);
}
