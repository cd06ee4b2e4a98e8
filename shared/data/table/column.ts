import { above, anyNumber, either, flag, listOf, map, oneOf, text } from "../../schema/fields.ts";

/** How one column of a table becomes inputs; everything in it was learnt from the training part. Plain JSON. */
export type Column = NumberColumn | CategoryColumn;

/** One input, (value − mean) / deviation; a missing value is the mean, 0. */
interface NumberColumn {
  readonly name: string;
  readonly mean: number;
  /** Above 0. */
  readonly deviation: number;
  /** Only where training rows lack it: one more input, 1 where the value is missing. */
  readonly marksMissing?: boolean | undefined;
}

/** An input for each category, 1 for that of the row; all 0 where it is missing. */
interface CategoryColumn {
  readonly name: string;
  readonly categories: readonly string[];
  /** Only where the config says so: a category that is not among these is all 0, and is not refused. */
  readonly unknown?: "zeros" | undefined;
}

export const columnField = either(
  "a column of numbers or of categories",
  map({
    name: text("its name"),
    mean: anyNumber(),
    deviation: above(0),
    marksMissing: flag().optional(),
  }),
  map({
    name: text("its name"),
    categories: listOf("texts", text("a category")),
    unknown: oneOf(["zeros"]).optional(),
  }),
);

/** Inputs that it becomes. */
export function widthOf(column: Column): number {
  if ("categories" in column) return column.categories.length;
  return column.marksMissing ? 2 : 1;
}

/** Links refuse larger numbers. */
const MOST = 1e6;
const MISSING = new Set(["", "na", "n/a", "?"]);

/** A value is missing where there is none, and where a cell is empty or says NA, N/A or ?. */
export function isMissing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === "string" && MISSING.has(value.trim().toLowerCase()))
  );
}

/** Undefined where it is none: no comma, no unit, no other base. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === "boolean") return Number(value);
  const isNumeral = typeof value === "string" && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value);
  const number = isNumeral ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Writes what the value becomes from `at` on; what is wrong with it, where it is nothing that the column can have. */
export function writeCell(column: Column, value: unknown, to: Float32Array, at: number): string | undefined {
  to.fill(0, at, at + widthOf(column));
  const missing = isMissing(value);
  if ("categories" in column) {
    if (missing) return undefined;
    const place = column.categories.indexOf(String(value).trim());
    if (place === -1 && !column.unknown) return `expected ${oneOfThese(column.categories)}`;
    if (place !== -1) to[at + place] = 1;
    return undefined;
  }
  if (missing) {
    if (column.marksMissing) to[at + 1] = 1;
    return undefined;
  }
  const number = numberIn(value);
  if (number === undefined) return "expected a number, or nothing where it is missing";
  const standard = (number - column.mean) / column.deviation;
  if (Math.abs(standard) > MOST) return `more than ${MOST} deviations from the mean`;
  to[at] = standard;
  return undefined;
}

function oneOfThese(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `one of ${names.length}, such as ${shown}` : `one of ${shown}`;
}
