import type { Judged, Tally } from "./accuracy.ts";
import type { Loss } from "./kernels.ts";

/** What a score says besides its error: each list is there where it fits, and never longer than MOST_FIGURES. */
export interface Details {
  /** Of classes: how many of each true class (row) were taken for each class (column), row-major. */
  readonly confusion?: readonly number[];
  /** Of bits, three numbers each: rightly 1, wrongly 1, wrongly 0. */
  readonly bits?: readonly number[];
  /** Of values, a number each: √ of the mean squared error, in the label's own unit. */
  readonly rmse?: readonly number[];
  /** Of values, a number each: the share of the label's variance that is explained. */
  readonly r2?: readonly number[];
}

/** A list of a frame has at most so many items. */
const MOST_FIGURES = 1024;

/**
 * Sums over the rows that the details are made of: the lists `confusion` or `bits`; of values Σ(p − y)², Σy, Σy² each. None
 * where a list would be too long. `labels`: of a row its class, or `columns` bits or values.
 */
export function sumsOf(
  judged: Judged,
  loss: Loss,
  outputs: Float32Array,
  labels: Float32Array,
  rows: number,
  columns: number,
): Pick<Tally, "sums"> {
  const figures = { class: columns * columns, bits: 3 * columns, values: 3 * columns }[judged];
  if (figures > MOST_FIGURES) return {};
  const sums = new Array<number>(figures).fill(0);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    if (judged === "class") {
      const [truth, said] = [labels[row]!, largest(outputs, start, columns)];
      sums[truth * columns + said]!++;
    } else
      for (let column = 0; column < columns; column++) {
        const [output, label] = [outputs[start + column]!, labels[start + column]!];
        if (judged === "bits") addBit(sums, 3 * column, isOn(loss, output), label > 0.5);
        else addValue(sums, 3 * column, output, label);
      }
  }
  return { sums };
}

/** `units`: of values, what 1 of each output is worth in the label's own unit; 1 unless given. */
export function detailsOf(
  { sums }: Tally,
  judged: Judged,
  rows: number,
  units: readonly number[] | undefined,
): Details {
  if (!sums) return {};
  if (judged === "class") return { confusion: sums };
  if (judged === "bits") return { bits: sums };
  const values = Array.from({ length: sums.length / 3 }, (_, index) => sums.slice(3 * index, 3 * index + 3));
  return {
    rmse: values.map(([squares], index) => Math.sqrt(squares! / rows) * (units?.[index] ?? 1)),
    r2: values.map((value) => 1 - unexplained(value, rows)),
  };
}

/** Mean over the values of the share of their variance that is not explained; NaN where nothing is known of them. */
export function unexplainedOf({ sums }: Tally, rows: number): number {
  if (!sums) return Number.NaN;
  let sum = 0;
  for (let at = 0; at < sums.length; at += 3) sum += unexplained(sums.slice(at, at + 3), rows);
  return (3 * sum) / sums.length;
}

/** Labels that are all alike have no variance: then all or nothing. */
function unexplained([squares, labels, squaredLabels]: readonly number[], rows: number): number {
  const variance = squaredLabels! - labels! ** 2 / rows;
  if (variance > 1e-9 * squaredLabels!) return squares! / variance;
  return squares! > 0 ? 1 : 0;
}

/** Whether a bit counts as 1: a logit of 0 is a probability of one half; squared error compares with the bits themselves. */
export function isOn(loss: Loss, output: number): boolean {
  return output > (loss === "sigmoid-cross-entropy" ? 0 : 0.5);
}

export function largest(values: Float32Array, start: number, columns: number): number {
  let best = 0;
  for (let i = 1; i < columns; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}

function addBit(sums: number[], at: number, said: boolean, truth: boolean): void {
  if (said && truth) sums[at]!++;
  else if (said) sums[at + 1]!++;
  else if (truth) sums[at + 2]!++;
}

function addValue(sums: number[], at: number, output: number, label: number): void {
  sums[at]! += (output - label) ** 2;
  sums[at + 1]! += label;
  sums[at + 2]! += label ** 2;
}
