import { DataFileError } from "../data-file.ts";
import { type Column, isMissing, numberIn, writeCell } from "./column.ts";
import type { Table } from "./read-table.ts";

interface InputRules {
  /** These are categories, even if their texts are numbers. */
  readonly categories: readonly string[];
  readonly unknown: "refuse" | "zeros";
}

/** More than so many inputs of one column would be mostly zeros. */
const MOST_CATEGORIES = 256;
/** So many of a column's texts at most are taken for slips among numbers, and not for names. */
const SLIPS = 0.1;
const NO_NUMBER = "which is no number; where a value is missing leave it empty, or say NA";

/**
 * What the columns with these numbers become, by their training rows alone; every row is held against it. Throws a
 * DataFileError that names file, line and column.
 */
export function learnColumns(
  table: Table,
  columns: readonly number[],
  training: readonly number[],
  rules: InputRules,
): Column[] {
  return columns.map((column) => {
    const name = table.header[column]!;
    const isNamed = rules.categories.includes(name);
    const learnt =
      isNamed || !isNumeric(table, column, training)
        ? categoriesOf(table, column, training, rules)
        : numbersOf(table, column, training);
    checkCells(table, column, learnt);
    return learnt;
  });
}

/** Mean and deviation of a column of numbers; values that are all alike deviate by 1, so that they become 0. */
export function standardOf(values: Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  return { mean, deviation: deviation > 1e-12 * Math.abs(mean) ? deviation : 1 };
}

export function refuse(table: Table, row: number, column: number, what: string): never {
  const [name, cell] = [table.header[column]!, table.rows[row]![column]!];
  throw new DataFileError(
    `Cannot use ${table.place(row, column)}: ${name} is ${JSON.stringify(short(cell))}, ${what}`,
  );
}

/** Throws a DataFileError where a column of numbers has some texts, or one that says it is no number. */
function isNumeric(table: Table, column: number, training: readonly number[]): boolean {
  const cells = training.filter((row) => !isMissing(table.rows[row]![column]));
  if (cells.length === 0) {
    const name = table.header[column]!;
    throw new DataFileError(
      `Cannot use ${table.place(training[0]!, column)}: ${name} is missing in every training row, say ignore: [${name}]`,
    );
  }
  const others = cells.filter((row) => numberIn(table.rows[row]![column]) === undefined);
  if (others.length === 0) return true;
  const infinite = others.find((row) => isNoNumber(table.rows[row]![column]!));
  if (infinite !== undefined) refuse(table, infinite, column, NO_NUMBER);
  if (others.length > SLIPS * cells.length) return false;
  const [row] = others.sort((one, other) => one - other);
  const name = table.header[column]!;
  const what = `expected a number as in ${cells.length - others.length} other rows; or say categories: [${name}]`;
  return refuse(table, row!, column, what);
}

function isNoNumber(cell: string): boolean {
  return /^\s*[+-]?(nan|inf|infinity)\s*$/i.test(cell);
}

function numbersOf(table: Table, column: number, training: readonly number[]): Column {
  const name = table.header[column]!;
  const present = training.filter((row) => !isMissing(table.rows[row]![column]));
  const values = Float64Array.from(present, (row) => numberIn(table.rows[row]![column])!);
  const standard = standardOf(values);
  if (!Number.isFinite(standard.deviation))
    throw new DataFileError(
      `Cannot use ${table.place(present[0]!, column)}: the numbers of ${name} are too large to standardise`,
    );
  return { name, ...standard, ...(present.length < training.length && { marksMissing: true }) };
}

function categoriesOf(
  table: Table,
  column: number,
  training: readonly number[],
  { unknown }: InputRules,
): Column {
  const name = table.header[column]!;
  const cells = training.map((row) => table.rows[row]![column]!.trim()).filter((cell) => !isMissing(cell));
  const categories = [...new Set(cells)].sort();
  if (categories.length > MOST_CATEGORIES)
    throw new DataFileError(
      `Cannot use ${table.place(training[0]!, column)}: ${name} has ${categories.length} different texts, ` +
        `at most ${MOST_CATEGORIES} can be categories; say ignore: [${name}]`,
    );
  return { name, categories, ...(unknown === "zeros" && { unknown }) };
}

function checkCells(table: Table, column: number, learnt: Column): void {
  const scratch = new Float32Array("categories" in learnt ? learnt.categories.length : 2);
  table.rows.forEach((cells, row) => {
    const wrong = writeCell(learnt, cells[column], scratch, 0);
    if (!wrong) return;
    if (!("categories" in learnt) && isNoNumber(cells[column]!)) refuse(table, row, column, NO_NUMBER);
    const hint = "categories" in learnt ? "; no training row has it: say unknown: zeros" : "";
    refuse(table, row, column, wrong + hint);
  });
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
