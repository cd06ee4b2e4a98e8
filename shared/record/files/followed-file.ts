import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const CHUNK_BYTES = 64 * 1024;
/** A longer line is passed on in pieces. */
const MOST_LINE_BYTES = 1024 * 1024;

/**
 * A file of lines that others append to, as it grows; also when it is not there yet, is cut short, or another one takes
 * its name: what was written to the old one until then is read first.
 */
export class FollowedFile {
  readonly #path: string;
  #file: { readonly descriptor: number; readonly inode: number; at: number } | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole lines since the last call, one at a time, so that a long file is never in memory as one. */
  *read(): Generator<string> {
    yield* this.#readOn();
    const named = statSync(this.#path, { throwIfNoEntry: false });
    if (named === undefined || (this.#file?.inode === named.ino && named.size >= this.#file.at)) return;
    this.close();
    try {
      const descriptor = openSync(this.#path, "r");
      this.#file = { descriptor, inode: fstatSync(descriptor).ino, at: 0 };
    } catch {
      // It has gone again; the next call looks again.
      return;
    }
    yield* this.#readOn();
  }

  /** What stands behind the last whole line; there is some when a writer was killed. */
  get rest(): string {
    return this.#rest.toString("utf8");
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
    this.#rest = Buffer.alloc(0);
  }

  *#readOn(): Generator<string> {
    const file = this.#file;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    while (file !== undefined) {
      // Shorter than where we are: it was cut, and begins anew.
      if (fstatSync(file.descriptor).size < file.at) return;
      const length = readSync(file.descriptor, chunk, 0, CHUNK_BYTES, file.at);
      if (length === 0) return;
      file.at += length;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      const end = bytes.length > MOST_LINE_BYTES ? bytes.length : bytes.lastIndexOf(10) + 1;
      this.#rest = bytes.subarray(end);
      const lines = bytes.toString("utf8", 0, end).split("\n");
      if (lines.at(-1) === "") lines.pop();
      yield* lines;
    }
  }
}
