import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Bytes in the file format of MNIST, row-major: `shape` is [examples] or [examples, rows, columns]. */
export interface Idx {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/** A file in a folder of data that cannot be used; the message names it and says what was found. */
export class DataFileError extends Error {
  override readonly name = "DataFileError";
}

/** More than any set of images is not read: a small file could be packed to unfold without end. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * The bytes of a file; of the same name with .gz where there is none of this one. What is packed with gzip is unpacked.
 * Throws a DataFileError that names the file when there is neither, or it is damaged.
 */
export function readBytes(path: string): Uint8Array {
  const bytes = readEither(path);
  if (!(bytes[0] === 0x1f && bytes[1] === 0x8b)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (cause) {
    throw new DataFileError(`Cannot unpack ${path}: ${(cause as Error).message}`, { cause });
  }
}

function readEither(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    try {
      return readFileSync(`${path}.gz`);
    } catch {
      throw new DataFileError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
    }
  }
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

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ENOENT" ? "no such file" : String(code ?? cause);
}
