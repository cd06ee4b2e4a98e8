import { DataFileError } from "../data-file.ts";
import type { DataFacts, LabelFacts } from "../data-set-kind.ts";
import { isMissing, numberIn } from "./column.ts";
import { refuse, standardOf } from "./learn-inputs.ts";
import type { Table } from "./read-table.ts";

export const tasks = ["classes", "labels", "regression"] as const;
type Task = (typeof tasks)[number];

export interface Learnt {
  readonly task: Task;
  readonly labels: readonly LabelFacts[];
}

/** Classes travel as one byte each. */
const MOST_CLASSES = 256;
/** Whole numbers with no more different values are classes, unless the config says otherwise. */
const FEW = 20;

const BITS: Readonly<Record<string, 0 | 1>> = { 0: 0, 1: 1, no: 0, yes: 1, false: 0, true: 1 };

export function judgedOf(task: Task): DataFacts["judged"] {
  return ({ classes: "class", labels: "bits", regression: "values" } as const)[task];
}

/**
 * What the labels in these columns are, by their training rows; every row is held against it. Throws a DataFileError that
 * names file, line and column.
 */
export function learnLabels(
  table: Table,
  columns: readonly number[],
  training: readonly number[],
  wanted: Task | undefined,
): Learnt {
  for (const [row, cells] of table.rows.entries())
    for (const column of columns)
      if (isMissing(cells[column])) refuse(table, row, column, "which is no label");
  const task = wanted ?? taskOf(table, columns, training);
  if (task === "classes") return { task, labels: classesOf(table, columns[0]!, training) };
  const labelOf = task === "labels" ? yesOrNoOf : amountOf;
  return { task, labels: columns.map((column) => labelOf(table, column, training)) };
}

/** Writes the labels of one row, which was checked: a class, bits, or floats for regression. */
export function writeLabels(
  { task, labels }: Learnt,
  cells: readonly string[],
  to: Uint8Array | Float32Array,
  at: number,
): void {
  if (task === "classes") {
    to[at] = labels.findIndex(({ name }) => name === cells[0]!.trim());
    return;
  }
  labels.forEach(({ mean = 0, deviation = 1 }, index) => {
    const cell = cells[index]!;
    to[at + index] = task === "labels" ? bitIn(cell)! : (numberIn(cell)! - mean) / deviation;
  });
}

function taskOf(table: Table, columns: readonly number[], training: readonly number[]): Task {
  const texts = columns.map((column) => new Set(training.map((row) => table.rows[row]![column]!.trim())));
  if (columns.length > 1)
    return texts.every((each) => [...each].every((text) => bitIn(text) !== undefined))
      ? "labels"
      : "regression";
  const [only] = texts as [Set<string>];
  const numbers = [...only].map(numberIn);
  if (numbers.some((number) => number === undefined)) return "classes";
  return only.size <= FEW && numbers.every(Number.isInteger) ? "classes" : "regression";
}

function classesOf(table: Table, column: number, training: readonly number[]): LabelFacts[] {
  const cellOf = (row: number) => table.rows[row]![column]!.trim();
  const names = [...new Set(training.map(cellOf))].sort(byNumberOrText);
  const name = table.header[column]!;
  const at = table.place(training[0]!, column);
  if (names.length > MOST_CLASSES)
    throw new DataFileError(
      `Cannot use ${at}: ${name} has ${names.length} classes, at most ${MOST_CLASSES}; are they numbers? say task: regression`,
    );
  refuseConstant(table, column, training, names);
  for (const row of table.rows.keys())
    if (!names.includes(cellOf(row))) refuse(table, row, column, "a class that no training row has");
  return names.map((each) => ({ name: each }));
}

function yesOrNoOf(table: Table, column: number, training: readonly number[]): LabelFacts {
  const bits = table.rows.map((cells, row) => {
    const bit = bitIn(cells[column]!);
    return bit ?? refuse(table, row, column, "expected 0 or 1, yes or no, true or false");
  });
  refuseConstant(table, column, training, [...new Set(training.map((row) => String(bits[row])))]);
  return { name: table.header[column]! };
}

function amountOf(table: Table, column: number, training: readonly number[]): LabelFacts {
  const values = table.rows.map((cells, row) => {
    const number = numberIn(cells[column]!);
    return number ?? refuse(table, row, column, "expected a number to learn");
  });
  const known = Float64Array.from(training, (row) => values[row]!);
  refuseConstant(table, column, training, [...new Set(known)].map(String));
  const standard = standardOf(known);
  if (!Number.isFinite(standard.deviation)) refuse(table, training[0]!, column, "too large to standardise");
  const far = values.findIndex((value) => Math.abs(value - standard.mean) > 1e6 * standard.deviation);
  if (far !== -1) refuse(table, far, column, "more than a million deviations from the mean");
  return { name: table.header[column]!, ...standard };
}

/** Nothing can be learnt from a label that is always the same. */
function refuseConstant(
  table: Table,
  column: number,
  training: readonly number[],
  different: readonly string[],
): void {
  if (different.length < 2)
    refuse(
      table,
      training[0]!,
      column,
      `as in all ${training.length} training rows: there is nothing to learn`,
    );
}

function bitIn(cell: string): 0 | 1 | undefined {
  return BITS[cell.trim().toLowerCase()];
}

function byNumberOrText(one: string, other: string): number {
  const [a, b] = [numberIn(one), numberIn(other)];
  if (a !== undefined && b !== undefined && a !== b) return a - b;
  return one < other ? -1 : 1;
}
