import type { DataFacts } from "./data-set-kind.ts";
import { encodeTokens } from "./gpt2-tokens.ts";
import { widthOf, writeCell } from "./table/column.ts";

/** Something to predict from that cannot be encoded. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
}

type Told<Key extends keyof DataFacts> = Pick<DataFacts, Key>;

/**
 * What the network takes for one row of a table, floats: `row` has the values by the names of the columns, as numbers or as
 * text; it may have others. Throws an EncodeError that names the column.
 */
export function encodeRow(
  { columns, inputWidth }: Told<"columns" | "inputWidth">,
  row: Readonly<Record<string, unknown>>,
): Float32Array {
  if (!columns) throw new EncodeError("Cannot encode a row: the inputs of this model are no table");
  const inputs = new Float32Array(inputWidth);
  let at = 0;
  for (const column of columns) {
    const { name } = column;
    if (!Object.hasOwn(row, name)) throw new EncodeError(`Cannot encode the row: it has no ${name}`);
    const wrong = writeCell(column, row[name], inputs, at);
    if (wrong) throw new EncodeError(`Cannot encode the row: ${name} is ${shown(row[name])}, ${wrong}`);
    at += widthOf(column);
  }
  return inputs;
}

/**
 * What the network takes for one array of numbers: pixels (0 to 255, rows × columns × channels), or the floats that it was
 * trained on. Throws an EncodeError that names the place.
 */
export function encodeNumbers(
  { inputWidth, inputScale = 1, inputType }: Told<"inputWidth" | "inputScale" | "inputType">,
  numbers: ArrayLike<number>,
): Float32Array {
  if (numbers.length !== inputWidth)
    throw new EncodeError(`Cannot encode ${numbers.length} numbers: this model takes ${inputWidth}`);
  const fits =
    inputType === "u8"
      ? (value: number) => Number.isInteger(value) && value >= 0 && value <= 255
      : Number.isFinite;
  return Float32Array.from(numbers, (value, at) => {
    if (fits(value)) return value * inputScale;
    const expected = inputType === "u8" ? "a whole number from 0 to 255" : "a finite number";
    throw new EncodeError(`Cannot encode the numbers: number ${at} is ${value}, expected ${expected}`);
  });
}

/** The ids of a text: places in the vocabulary, tokens, or its bytes. Throws an EncodeError that names the character. */
export function encodeText(
  { characters, tokens }: Told<"characters" | "tokens">,
  text: string,
): Uint8Array | Float32Array {
  if (tokens) return Float32Array.from(encodeTokens(text, tokens.length));
  if (characters === undefined) return Buffer.from(text, "utf8");
  const vocabulary = [...characters];
  return Uint8Array.from([...text], (character, at) => {
    const id = vocabulary.indexOf(character);
    if (id !== -1) return id;
    throw new EncodeError(
      `Cannot encode the text: character ${at}, ${shown(character)}, is not in the vocabulary`,
    );
  });
}

/** What each output is called, in order; "0", "1", … where the data do not say. */
export function outputNames({ labels, labelWidth }: Told<"labels" | "labelWidth">): string[] {
  return Array.from({ length: labelWidth }, (_, index) => labels?.[index]?.name ?? String(index));
}

/** Of regression: the outputs in the labels' own units, mean + output · deviation. */
export function valuesOf({ labels }: Told<"labels">, outputs: ArrayLike<number>): number[] {
  return Array.from(outputs, (output, index) => {
    const { mean = 0, deviation = 1 } = labels?.[index] ?? {};
    return mean + output * deviation;
  });
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
