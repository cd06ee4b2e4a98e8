import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";

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
    return readRegular(path);
  } catch (cause) {
    try {
      return readRegular(`${path}.gz`);
    } catch {
      throw new DataFileError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** A pipe would let us wait until somebody writes into it. */
function readRegular(path: string): Uint8Array {
  const found = statSync(path);
  if (!found.isFile() && !found.isDirectory()) throw new Error("it is no regular file");
  return readFileSync(path);
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ENOENT" ? "no such file" : (code ?? (cause as Error).message);
}
