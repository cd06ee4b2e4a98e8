import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { type CsvError, parse } from "csv-parse/sync";
import { DataFileError, readBytes } from "../data-file.ts";

/** The rows of a file, or of two with the same header, as text. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows from here on are of the second file. */
  readonly firstRows: number;
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** "iris.csv:17:3", lines and columns from 1. */
  place(row: number, column: number): string;
}

interface File {
  readonly path: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of each row, where it ends. */
  readonly lines: readonly number[];
  readonly digest: string;
}

/** Its cells are texts in memory, so that a file takes some ten times its size. */
const MOST_BYTES = 128 * 1024 * 1024;
const MOST_COLUMNS = 4096;

/** Throws a DataFileError that names file, line and column. `second`: a file with the same columns, perhaps in another order. */
export function readTable(path: string, second: string | undefined, separator: string): Table {
  const first = readFile(path, separator);
  const other = second === undefined ? undefined : likeFirst(readFile(second, separator), first);
  const files = other ? [first, other] : [first];
  const firstRows = first.rows.length;
  return {
    header: first.header,
    rows: files.flatMap(({ rows }) => rows),
    firstRows,
    digest: files.map(({ digest }) => digest).join("+"),
    place(row, column) {
      const [file, at] = row < firstRows ? [first, row] : [other!, row - firstRows];
      const name = first.header[column]!;
      return `${file.path}:${file.lines[at]}:${file.header.indexOf(name) + 1}`;
    },
  };
}

function readFile(path: string, separator: string): File {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MOST_BYTES)
    throw new DataFileError(
      `Cannot use ${path}: it has ${size} bytes, at most ${MOST_BYTES}; npy has no bound`,
    );
  const bytes = readBytes(path);
  refuseOtherText(path, bytes);
  const [head, ...records] = recordsOf(path, bytes, separator);
  if (!head) throw new DataFileError(`Cannot use ${path}: it is empty, expected a header`);
  const header = head.record.map((name) => name.trim());
  checkHeader(path, header);
  if (records.length === 0) throw new DataFileError(`Cannot use ${path}: it has a header and no rows`);
  for (const { record, info } of records)
    if (record.length !== header.length)
      throw new DataFileError(
        `Cannot use ${path}:${info.lines}: it has ${record.length} cells, the header has ${header.length}`,
      );
  return {
    path,
    header,
    rows: records.map(({ record }) => record),
    lines: records.map(({ info }) => info.lines),
    digest: createHash("sha256").update(bytes).digest("hex"),
  };
}

interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

function recordsOf(path: string, bytes: Uint8Array, separator: string): Parsed[] {
  try {
    return parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      bom: true,
      delimiter: separator,
      info: true,
      // Said here, with both numbers.
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (cause) {
    const { message, code, lines, column } = cause as CsvError & { lines?: number; column?: number };
    if (code === undefined) throw cause;
    const place = Number.isInteger(column) ? `:${lines}:${Number(column) + 1}` : `:${lines}`;
    throw new DataFileError(`Cannot read ${path}${place}: ${message}`, { cause });
  }
}

function refuseOtherText(path: string, bytes: Uint8Array): void {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new DataFileError(`Cannot read ${path}: it is UTF-16, expected UTF-8`);
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw new DataFileError(`Cannot read ${path}: byte ${nul} is 0, this is no text`);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataFileError(`Cannot read ${path}${lineOfFault(bytes)}: it is no UTF-8`);
  }
}

function lineOfFault(bytes: Uint8Array): string {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const found = bytes.indexOf(10, from);
    const end = found === -1 ? bytes.length : found;
    // A line feed is part of no other character, so that each line can be judged by itself.
    if (Buffer.from(bytes.subarray(from, end)).toString("utf8").includes("\ufffd")) return `:${line}`;
    from = end + 1;
  }
  return "";
}

function checkHeader(path: string, header: readonly string[]): void {
  if (header.length > MOST_COLUMNS)
    throw new DataFileError(
      `Cannot use ${path}: it has ${header.length} columns, at most ${MOST_COLUMNS}; npy has no bound`,
    );
  header.forEach((name, index) => {
    if (name === "") throw new DataFileError(`Cannot use ${path}:1:${index + 1}: the column has no name`);
    if (header.indexOf(name) !== index)
      throw new DataFileError(
        `Cannot use ${path}:1:${index + 1}: there is a column ${name} already, column ${header.indexOf(name) + 1}`,
      );
  });
}

/** Its cells in the order of the first file's columns. */
function likeFirst(file: File, first: File): File {
  const missing = first.header.find((name) => !file.header.includes(name));
  if (missing !== undefined)
    throw new DataFileError(`Cannot use ${file.path}: it has no column ${missing}, ${first.path} has`);
  const order = first.header.map((name) => file.header.indexOf(name));
  return { ...file, rows: file.rows.map((row) => order.map((column) => row[column]!)) };
}
