import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";

const CHUNK_BYTES = 64 * 1024;

interface LineFileOptions {
  /** Beyond it nothing is appended any more; or, where it rotates, the file makes room and one older is kept. */
  readonly mostBytes: number;
  /** What the older one is called. */
  readonly older?: string;
}

/** A file of lines that is only ever appended to, whole lines or nothing. What a killed writer left of a line is cut off. */
export class LineFile {
  readonly #path: string;
  readonly #options: LineFileOptions;
  #descriptor: number;
  #bytes: number;

  /** Throws when it cannot be opened. */
  constructor(path: string, options: LineFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#descriptor = openSync(path, "a+");
    this.#bytes = endOfLastLine(this.#descriptor);
    ftruncateSync(this.#descriptor, this.#bytes);
  }

  /** `text`: whole lines. False when the file is as long as it may be. Throws when the disk does not take all of it, and takes none. */
  append(text: string): boolean {
    const bytes = Buffer.from(text);
    if (this.#bytes + bytes.length > this.#options.mostBytes) {
      if (this.#options.older === undefined) return false;
      this.#rotate(this.#options.older);
    }
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#descriptor, bytes, written);
      }
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
    return true;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(older: string): void {
    renameSync(this.#path, older);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#path, "a+");
    this.#bytes = 0;
  }
}

function endOfLastLine(descriptor: number): number {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let end = fstatSync(descriptor).size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const length = readSync(descriptor, chunk, 0, end - start, start);
    const at = chunk.subarray(0, length).lastIndexOf(10);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

/** Every whole line of a file from byte `from` on, in bounded memory; none if there is no such file. */
export function* linesOf(path: string, from = 0): Generator<string> {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    for (let at = Math.max(0, from); ; ) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, at);
      if (length === 0) return;
      at += length;
      const bytes = Buffer.concat([rest, chunk.subarray(0, length)]);
      const end = bytes.lastIndexOf(10) + 1;
      rest = bytes.subarray(end);
      if (end > 0) yield* bytes.toString("utf8", 0, end - 1).split("\n");
    }
  } finally {
    closeSync(descriptor);
  }
}
