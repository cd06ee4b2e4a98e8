import type { DataFacts } from "../../shared/config/data-facts.ts";
import { EncodeError, encodeNumbers, encodeRow } from "../../shared/data/encode.ts";
import { encodeWindow } from "../../shared/data/text-window.ts";
import { Refusal } from "../train/refusal.ts";
import type { Model } from "./model.ts";

/** Throws a Refusal unless questions to the model are rows, arrays or images. */
export function requireRows({ run, config, facts }: Model): void {
  if (facts.sequence)
    throw new Refusal(
      `Cannot predict with ${run}: it learns from ${config.data.set}, which unlocked sample goes on writing`,
    );
}

/**
 * What layer 1 takes, of a row as it comes out of JSON: an object with the columns of a table, or with `text` where the
 * model takes the last characters of one; or an array of numbers (an image may have its rows, and pixels, as arrays of their
 * own). Throws an EncodeError that names the place.
 */
export function inputOf(facts: DataFacts, row: unknown): Float32Array {
  if (Array.isArray(row)) {
    if (facts.columns) return encodeRow(facts, named(facts.columns, row));
    return encodeNumbers(facts, numbersIn(row));
  }
  if (typeof row === "object" && row !== null) {
    if (facts.window !== undefined) return windowIn({ ...facts, window: facts.window }, row);
    return encodeRow(facts, row as Record<string, unknown>);
  }
  throw new EncodeError(`Cannot encode ${JSON.stringify(row)}: expected an array of numbers, or an object`);
}

function windowIn(facts: Parameters<typeof encodeWindow>[0], row: { readonly text?: unknown }): Float32Array {
  if (typeof row.text === "string") return encodeWindow(facts, row.text);
  throw new EncodeError(`Cannot encode ${JSON.stringify(row)}: expected {"text": "…"}`);
}

/** The values of a table's row that come without names, in the order of its columns. */
function named(
  columns: NonNullable<DataFacts["columns"]>,
  values: readonly unknown[],
): Record<string, unknown> {
  if (values.length !== columns.length)
    throw new EncodeError(
      `Cannot encode a row of ${values.length} values: this model takes ${columns.length} columns`,
    );
  return Object.fromEntries(columns.map(({ name }, index) => [name, values[index]]));
}

function numbersIn(row: readonly unknown[]): number[] {
  const flat = row.some(Array.isArray) ? (row.flat(2) as unknown[]) : row;
  const wrong = flat.findIndex((value) => typeof value !== "number");
  if (wrong === -1) return flat as number[];
  throw new EncodeError(
    `Cannot encode the numbers: number ${wrong} is ${JSON.stringify(flat[wrong])}, expected a number`,
  );
}
