import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DataFileError } from "./data-file.ts";

/** What the numbers of a .npy file are; little-endian, as NumPy writes them on today's processors. */
const TYPES = {
  "<f4": { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  "<f8": { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
  "|u1": { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  "<i8": { bytes: 8, read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
} as const;

type NpyType = keyof typeof TYPES;

const MAGIC = "\x93NUMPY";
const MOST_HEADER = 1 << 16;

/** A .npy file that is read row by row, by position: nothing of it stays in memory. */
export class NpyFile {
  readonly path: string;
  readonly type: NpyType;
  /** rows, and what a row is made of. */
  readonly shape: readonly number[];
  readonly #file: number;
  readonly #from: number;
  readonly #bytes: Buffer;
  readonly #view: DataView;

  /** Throws a DataFileError that says what is wrong with it. Who opens it closes it, or ends. */
  static open(path: string): NpyFile {
    const file = openRegular(path);
    try {
      const { type, shape, from } = readHeader(path, file);
      const size = statSync(path).size;
      const rowBytes = product(shape.slice(1)) * TYPES[type].bytes;
      const expected = from + shape[0]! * rowBytes;
      if (size !== expected)
        throw new DataFileError(`Cannot use ${path}: it has ${size} bytes, its header promises ${expected}`);
      return new NpyFile(path, type, shape, file, from, rowBytes);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  private constructor(
    path: string,
    type: NpyType,
    shape: readonly number[],
    file: number,
    from: number,
    rowBytes: number,
  ) {
    this.path = path;
    this.type = type;
    this.shape = shape;
    this.#file = file;
    this.#from = from;
    this.#bytes = Buffer.alloc(rowBytes);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, rowBytes);
  }

  get rows(): number {
    return this.shape[0]!;
  }

  /** Numbers of a row. */
  get width(): number {
    return product(this.shape.slice(1));
  }

  get bytes(): number {
    return this.rows * this.#bytes.length;
  }

  /** Throws a DataFileError where a number is not finite, or the file became shorter. */
  readRow(row: number, to: Float32Array | Float64Array | Uint8Array, at: number): void {
    const found = readSync(
      this.#file,
      this.#bytes,
      0,
      this.#bytes.length,
      this.#from + row * this.#bytes.length,
    );
    if (found !== this.#bytes.length)
      throw new DataFileError(
        `Cannot read ${this.path}: it ends within row ${row}, ${found} bytes of it are there`,
      );
    if (this.type === "|u1" && to instanceof Uint8Array) return to.set(this.#bytes, at);
    const { bytes, read } = TYPES[this.type];
    for (let column = 0; column < this.width; column++) {
      const value = read(this.#view, column * bytes);
      if (!(Math.abs(value) <= MOST))
        throw new DataFileError(
          `Cannot use ${this.path}: row ${row}, column ${column} is ${value}, expected a number of at most ${MOST}`,
        );
      to[at + column] = value;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Links refuse larger numbers. */
const MOST = 1e6;

function openRegular(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new DataFileError(`Cannot read ${path}: no such file`);
  if (!found.isFile()) throw new DataFileError(`Cannot read ${path}: it is no regular file`);
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new DataFileError(`Cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

interface Header {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly from: number;
}

/** The magic, a version, the length of a header, the header: a literal of Python. */
function readHeader(path: string, file: number): Header {
  const start = Buffer.alloc(12);
  const found = readSync(file, start, 0, 12, 0);
  if (found < 10 || start.toString("latin1", 0, 6) !== MAGIC)
    throw new DataFileError(`Cannot read ${path}: it is no .npy file`);
  const version = start[6]!;
  if (version < 1 || version > 3)
    throw new DataFileError(`Cannot read ${path}: its format has version ${version}, expected 1 to 3`);
  const at = version === 1 ? 10 : 12;
  const length = version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (length > MOST_HEADER)
    throw new DataFileError(`Cannot read ${path}: its header has ${length} bytes, at most ${MOST_HEADER}`);
  const header = Buffer.alloc(length);
  if (readSync(file, header, 0, length, at) !== length)
    throw new DataFileError(`Cannot read ${path}: it ends within its header`);
  return { ...parseHeader(path, header.toString("utf8")), from: at + length };
}

function parseHeader(path: string, header: string): Omit<Header, "from"> {
  const [, descr] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, sizes] = /'shape':\s*\(([\d\s,]*)\)/.exec(header) ?? [];
  if (sizes === undefined || order === undefined || (descr === undefined && !header.includes("'descr'")))
    throw new DataFileError(
      `Cannot read ${path}: its header is ${JSON.stringify(header.trim().slice(0, 80))}`,
    );
  if (descr === undefined || !Object.hasOwn(TYPES, descr))
    throw new DataFileError(
      `Cannot use ${path}: its numbers are ${descr ?? "of several types"}, expected <f4, <f8, |u1 or <i8 (float32, float64, uint8, int64)`,
    );
  if (order === "True")
    throw new DataFileError(
      `Cannot use ${path}: it is in Fortran order, column by column; np.save(…, np.ascontiguousarray(a)) writes rows`,
    );
  const shape = sizes
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  if (shape.length === 0) throw new DataFileError(`Cannot use ${path}: it is one number, expected rows`);
  if (shape[0] === 0) throw new DataFileError(`Cannot use ${path}: it has 0 rows`);
  if (shape[0]! > 2 ** 31)
    throw new DataFileError(`Cannot use ${path}: it has ${shape[0]} rows, at most 2³¹`);
  if (product(shape.slice(1)) === 0) throw new DataFileError(`Cannot use ${path}: its rows are empty`);
  return { type: descr as NpyType, shape };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
