import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const DIGEST_BYTES = 32;

/** Bytes that were kept under this path before; undefined where there are none, or not those that were written. */
export function readCache(path: string, length: number): Uint8Array | undefined {
  try {
    const file = readFileSync(path);
    const bytes = file.subarray(DIGEST_BYTES);
    if (bytes.length !== length || !digestOf(bytes).equals(file.subarray(0, DIGEST_BYTES))) return undefined;
    return bytes;
  } catch {
    return undefined;
  }
}

/** Whole or not at all. Where it cannot be written, the next one decodes again. */
export function writeCache(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, Buffer.concat([digestOf(bytes), bytes]));
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
