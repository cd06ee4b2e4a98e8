import { parse } from "csv-parse/sync";
import type { DataFacts } from "../../shared/config/data-facts.ts";
import { EncodeError, encodeNumbers, encodeRow } from "../../shared/data/encode.ts";
import { inputOf } from "./inputs.ts";

/** A line that is longer has no end, or is no row. */
export const MOST_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * The rows of a text, line by line: JSON where a line begins with [ or {, else CSV. A table's first line of CSV has the
 * names of its columns; other data may have a first line that is no numbers, which is passed over.
 */
export class QuestionLines {
  readonly #facts: DataFacts;
  #header: readonly string[] | undefined;
  #isFirst = true;

  constructor(facts: DataFacts) {
    this.#facts = facts;
  }

  /** What layer 1 takes; undefined where the line is no row. Throws an EncodeError, or an Error that says what is wrong. */
  read(line: string): Float32Array | undefined {
    if (line.trim() === "") return undefined;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (/^\s*[[{]/.test(line)) return inputOf(this.#facts, jsonOf(line));
    return this.#facts.columns ? this.#tableRow(line, this.#facts.columns) : this.#numberRow(line, isFirst);
  }

  #tableRow(line: string, columns: NonNullable<DataFacts["columns"]>): Float32Array | undefined {
    const cells = cellsOf(line);
    if (this.#header === undefined) {
      this.#header = cells.map((cell) => cell.trim());
      const missing = columns.find(({ name }) => !this.#header!.includes(name));
      if (missing) throw new EncodeError(`Cannot read the header: it has no column ${missing.name}`);
      return undefined;
    }
    if (cells.length !== this.#header.length)
      throw new EncodeError(
        `Cannot read the row: ${cells.length} cells, the header has ${this.#header.length}`,
      );
    return encodeRow(
      this.#facts,
      Object.fromEntries(this.#header.map((name, index) => [name, cells[index]])),
    );
  }

  #numberRow(line: string, isFirst: boolean): Float32Array | undefined {
    const cells = line.split(",");
    const numbers = cells.map(numberIn);
    if (isFirst && numbers.every(Number.isNaN)) return undefined;
    const wrong = numbers.findIndex(Number.isNaN);
    if (wrong !== -1)
      throw new EncodeError(
        `Cannot read the row: cell ${wrong + 1} is ${JSON.stringify(cells[wrong])}, expected a number`,
      );
    return encodeNumbers(this.#facts, numbers);
  }
}

function numberIn(cell: string): number {
  return cell.trim() === "" ? Number.NaN : Number(cell);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new EncodeError("Cannot read the row: it is not JSON");
  }
}

function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(",");
  try {
    return (parse(line) as string[][])[0] ?? [];
  } catch (error) {
    throw new EncodeError(`Cannot read the row: ${(error as Error).message}`);
  }
}

/** Lines of a stream, as many at once as have come: nothing waits for more. Throws a RangeError at one without an end. */
export async function* linesAsTheyCome(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of chunks) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop()!;
    if (rest.length > MOST_LINE_CHARACTERS)
      throw new RangeError(`a line is longer than ${MOST_LINE_CHARACTERS} characters`);
    yield lines;
  }
  yield [rest + decoder.decode()];
}
