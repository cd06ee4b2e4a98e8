import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataFileError, readBytes } from "./data-file.ts";
import type { LabelledImages } from "./pictures/image-set.ts";

/** Bytes in the file format of MNIST, row-major: `shape` is [examples] or [examples, rows, columns]. */
export interface Idx {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/**
 * Unsigned bytes in `dimensions` dimensions (the IDX format: magic 0, 0, 8, dimensions; then each size as a big-endian
 * 32-bit integer; then the values). The values alias `bytes`. `path` is only for the DataFileError.
 */
export function parseIdx(path: string, bytes: Uint8Array, dimensions: number): Idx {
  const headerBytes = 4 + 4 * dimensions;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkMagic(path, view, dimensions);
  if (bytes.length < headerBytes) {
    throw new DataFileError(
      `Cannot read ${path}: ${bytes.length} bytes, its header alone has ${headerBytes}`,
    );
  }
  const shape = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  const promised = headerBytes + shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== promised) {
    throw new DataFileError(`Cannot read ${path}: ${bytes.length} bytes, the header promises ${promised}`);
  }
  return { shape, values: bytes.subarray(headerBytes) };
}

function checkMagic(path: string, view: DataView, dimensions: number): void {
  if (view.byteLength < 4) {
    throw new DataFileError(`Cannot read ${path}: ${view.byteLength} bytes, too short for an IDX file`);
  }
  const magic = view.getUint32(0);
  const expected = 0x0800 + dimensions;
  if (magic === expected) return;
  throw new DataFileError(
    `Cannot read ${path}: the magic number is ${hex(magic)}, expected ${hex(expected)} ` +
      `(unsigned bytes, ${dimensions} dimension${dimensions === 1 ? "" : "s"})`,
  );
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, "0")}`;
}

/** The names that the files of MNIST have. */
export type IdxFile =
  | "train-images-idx3-ubyte"
  | "train-labels-idx1-ubyte"
  | "t10k-images-idx3-ubyte"
  | "t10k-labels-idx1-ubyte";

/** Images and classes of `folder`, each file plain or packed with gzip. Throws a DataFileError. */
export function readFour(folder: string, digests?: Readonly<Record<IdxFile, string>>) {
  const read = (file: IdxFile, dimensions: number) => readFileOf(folder, file, dimensions, digests?.[file]);
  const training: LabelledImages = {
    images: read("train-images-idx3-ubyte", 3),
    classes: read("train-labels-idx1-ubyte", 1),
  };
  const heldOut: LabelledImages = {
    images: read("t10k-images-idx3-ubyte", 3),
    classes: read("t10k-labels-idx1-ubyte", 1),
  };
  return { training, heldOut };
}

function readFileOf(folder: string, file: IdxFile, dimensions: number, digest: string | undefined): Idx {
  const path = join(folder, file);
  const bytes = readBytes(path);
  const idx = parseIdx(path, bytes, dimensions);
  if (digest !== undefined) checkDigest(path, bytes, digest);
  return idx;
}

function checkDigest(path: string, bytes: Uint8Array, expected: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== expected) {
    throw new DataFileError(`Cannot use ${path}: its SHA-256 is ${found}, expected ${expected}`);
  }
}
