import type { DataFacts } from "../../../shared/config/data-facts.ts";
import type { Batch, DataSet } from "../../../shared/data/data-set.ts";
import { decodeText, idNames } from "../../../shared/data/decode-text.ts";
import { outputNames, valuesOf } from "../../../shared/data/encode.ts";
import { labelForm } from "../../../shared/data/labels.ts";
import { type Column, widthOf } from "../../../shared/data/table/column.ts";
import { count, figure, percent } from "../../../shared/record/numbers.ts";

const EXAMPLES = 10;
/** Of larger sets the first so many rows of an epoch are looked at. */
const MOST_ROWS = 50_000;
const BATCH = 500;
/** A class with a smaller share is told of. */
const RARE = 0.02;
const MOST_LINES = 40;

/** What was understood of a data set, before anything trains. Pure: the seed chooses the examples. */
export function dataView(name: string, facts: DataFacts, set: DataSet, seed: number): string[] {
  const training = trainingRows(facts, set, seed);
  const heldOut = [...parts(set)];
  const lines = [
    `${name}: ${sizeOf(facts)}, ${count(rowsIn(heldOut))} held out`,
    `an example: ${inputWords(facts)}; ${labelWords(facts)}`,
    ...section("columns", (facts.columns ?? []).map(columnLine)),
    ...section(labelHead(facts), labelLines(facts, training, heldOut)),
    ...section("examples", examples(facts, training)),
  ];
  const warnings = warningsOf(facts, training, heldOut);
  return [...lines, ...section(warnings.length > 0 ? "warnings" : "no warnings", warnings)];
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return title === "no warnings" ? ["", title] : [];
  const more = lines.length > MOST_LINES ? [`  … and ${lines.length - MOST_LINES} more`] : [];
  return ["", title, ...lines.slice(0, MOST_LINES).map((line) => `  ${line}`), ...more];
}

function trainingRows({ trainingExamples = 5_000 }: DataFacts, set: DataSet, seed: number): Batch[] {
  const batches = Math.ceil(Math.min(trainingExamples, MOST_ROWS) / BATCH);
  return Array.from({ length: batches }, (_, number) => set.batch(seed, number, BATCH));
}

function* parts(set: DataSet): Generator<Batch> {
  const all = Math.min(set.evaluationParts(BATCH), MOST_ROWS / BATCH);
  for (let part = 0; part < all; part++) yield set.evaluationPart(part, BATCH);
}

function rowsIn(batches: readonly Batch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows, 0);
}

function sizeOf({ trainingExamples }: DataFacts): string {
  return trainingExamples === undefined ? "an endless stream" : `${count(trainingExamples)} rows to train on`;
}

function inputWords({ inputWidth, image, sequence, window, columns, inputType }: DataFacts): string {
  if (image) return `an image, ${image.height} × ${image.width} × ${image.channels}`;
  if (sequence) return `${sequence.positions} ids of ${sequence.vocabulary}`;
  if (window !== undefined)
    return `the last ${window} characters, each one of ${inputWidth / window}: ${inputWidth} inputs`;
  const from = columns ? ` of ${columns.length} columns` : "";
  return `${inputWidth} inputs${from}, ${inputType === "u8" ? "bytes" : "floats"}`;
}

function labelWords({ judged, labelWidth, sequence, window }: DataFacts): string {
  if (window !== undefined) return "the next character";
  if (sequence) return "the id after each of them";
  if (judged === "class") return `one of ${labelWidth} classes`;
  return judged === "bits" ? `${labelWidth} labels, 0 or 1` : `${labelWidth} values (regression)`;
}

function columnLine(column: Column): string {
  if ("categories" in column) {
    const shown = column.categories.slice(0, 6).join(", ");
    const more = column.categories.length > 6 ? ", …" : "";
    return `${column.name}: ${column.categories.length} categories (${shown}${more})`;
  }
  const marks = column.marksMissing ? "; an input says where it is missing" : "";
  return `${column.name}: a number, mean ${figure(column.mean)}, deviation ${figure(column.deviation)}${marks}`;
}

function labelHead({ judged }: DataFacts): string {
  return { class: "classes", bits: "labels", values: "values" }[judged];
}

function labelLines(facts: DataFacts, training: readonly Batch[], heldOut: readonly Batch[]): string[] {
  if (facts.sequence) return [];
  const names = shownNames(facts);
  if (facts.judged === "values")
    return names.map((name, index) => {
      const { mean, deviation } = facts.labels?.[index] ?? {};
      return `${name}: mean ${figure(mean)}, deviation ${figure(deviation)}`;
    });
  const [trained, held] = [sumsOf(facts, training), sumsOf(facts, heldOut)];
  const share = (sums: readonly number[], batches: readonly Batch[], index: number) =>
    percent(sums[index]! / rowsIn(batches), 1);
  return names.map(
    (name, index) =>
      `${name}: ${share(trained, training, index)} of the training rows, ${share(held, heldOut, index)} held out`,
  );
}

/** A character of a text may be a blank. */
function shownNames(facts: DataFacts): string[] {
  const isText = facts.window !== undefined && facts.characters !== undefined;
  return outputNames(facts).map((name) => (isText ? JSON.stringify(name) : name));
}

/** Of each label, how many rows have it. */
function sumsOf({ labelWidth, judged }: DataFacts, batches: readonly Batch[]): number[] {
  const sums = new Array<number>(labelWidth).fill(0);
  for (const { labels } of batches)
    for (const [at, label] of labels.entries()) {
      if (judged === "class") sums[label]! += 1;
      else sums[at % labelWidth]! += label;
    }
  return sums;
}

function examples(facts: DataFacts, [first]: readonly Batch[]): string[] {
  if (!first) return [];
  const { inputWidth } = facts;
  const { count } = labelForm(facts);
  return Array.from({ length: Math.min(EXAMPLES, first.rows) }, (_, row) => {
    const input = first.input.subarray(row * inputWidth, (row + 1) * inputWidth);
    const labels = first.labels.subarray(row * count, (row + 1) * count);
    return `${shownInput(facts, input)}  →  ${shownLabels(facts, labels)}`;
  });
}

function shownInput(facts: DataFacts, input: ArrayLike<number>): string {
  const { columns, sequence, image, window } = facts;
  const isText = window !== undefined || (sequence && idNames(facts));
  if (isText) return JSON.stringify(decodeText(facts, input));
  if (columns) return shownRow(columns, input);
  if (image)
    return `pixels, mean ${figure(Array.from(input).reduce((sum, each) => sum + each, 0) / input.length)}`;
  const shown = Array.from(input).slice(0, 8).map(figure).join(" ");
  return input.length > 8 ? `${shown} …` : shown;
}

function shownRow(columns: readonly Column[], input: ArrayLike<number>): string {
  let at = 0;
  return columns
    .map((column) => {
      const own = Array.from({ length: widthOf(column) }, (_, index) => input[at + index]!);
      at += own.length;
      return `${column.name} ${shownCell(column, own)}`;
    })
    .join(", ");
}

function shownCell(column: Column, own: readonly number[]): string {
  if ("categories" in column) return column.categories[own.indexOf(1)] ?? "missing";
  return own[1] === 1 ? "missing" : figure(column.mean + own[0]! * column.deviation);
}

function shownLabels(facts: DataFacts, labels: ArrayLike<number>): string {
  const { judged, sequence } = facts;
  if (sequence) {
    const last = labels[labels.length - 1]!;
    const names = idNames(facts);
    return names ? JSON.stringify(names[last]) : String(last);
  }
  if (judged === "values") return valuesOf(facts, labels).map(figure).join(", ");
  if (judged === "class") return shownNames(facts)[labels[0]!]!;
  const names = shownNames(facts).filter((_, index) => labels[index] === 1);
  return names.join(", ") || "none";
}

function warningsOf(facts: DataFacts, training: readonly Batch[], heldOut: readonly Batch[]): string[] {
  const warnings = constantColumns(facts, training).map(
    (name) => `${name} is the same in every training row`,
  );
  if (rowsIn(heldOut) < 30)
    warnings.push(`only ${rowsIn(heldOut)} rows are held out: what they say is coarse`);
  // Of letters, many are rare.
  if (facts.judged === "values" || facts.sequence || facts.window) return warnings;
  const [trained, held] = [sumsOf(facts, training), sumsOf(facts, heldOut)];
  outputNames(facts).forEach((name, index) => {
    const share = trained[index]! / rowsIn(training);
    if (share < RARE) warnings.push(`${name} is rare: ${percent(share, 1)} of the training rows`);
    if (held[index] === 0) warnings.push(`no held-out row is ${name}`);
  });
  return warnings;
}

function constantColumns({ columns = [], inputWidth }: DataFacts, batches: readonly Batch[]): string[] {
  let at = 0;
  return columns.flatMap((column) => {
    const from = at;
    at += widthOf(column);
    const isConstant =
      "categories" in column
        ? column.categories.length === 1
        : batches.every(({ rows, input }) =>
            Array.from({ length: rows }, (_, row) => input[row * inputWidth + from]!).every(
              (value) => value === 0,
            ),
          );
    return isConstant ? [column.name] : [];
  });
}
