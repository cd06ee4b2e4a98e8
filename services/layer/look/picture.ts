import type { Moved, Picture } from "../../../shared/record/seen.ts";

const MOST_EXAMPLES = 24;
const MOST_COLUMNS = 64;
const MOST_WEIGHT_ROWS = 32;
const DIGITS = 3;

/** Of a matrix of one example a row: the first of them, each with means of neighbouring columns. */
export function pictureOf(values: Float32Array, rows: number): Picture {
  const columns = values.length / rows;
  const [shownRows, shownColumns] = [Math.min(rows, MOST_EXAMPLES), Math.min(columns, MOST_COLUMNS)];
  const shown: number[] = [];
  for (let row = 0; row < shownRows; row++)
    for (let column = 0; column < shownColumns; column++) {
      const [from, to] = partOf(column, columns, shownColumns);
      let sum = 0;
      for (let at = from; at < to; at++) sum += values[row * columns + at]!;
      shown.push(rounded(sum / (to - from)));
    }
  return { of: [rows, columns], rows: shownRows, columns: shownColumns, values: shown };
}

/** Of how far weights moved: the root of the mean square of neighbours. */
export function pictureOfMoves(before: Float32Array, after: Float32Array, rows: number): Picture {
  const columns = before.length / rows;
  const [shownRows, shownColumns] = [Math.min(rows, MOST_WEIGHT_ROWS), Math.min(columns, MOST_COLUMNS)];
  const shown: number[] = [];
  for (let row = 0; row < shownRows; row++)
    for (let column = 0; column < shownColumns; column++) {
      const [top, bottom] = partOf(row, rows, shownRows);
      const [left, right] = partOf(column, columns, shownColumns);
      let sum = 0;
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++) sum += (after[y * columns + x]! - before[y * columns + x]!) ** 2;
      shown.push(rounded(Math.sqrt(sum / ((bottom - top) * (right - left)))));
    }
  return { of: [rows, columns], rows: shownRows, columns: shownColumns, values: shown };
}

export function movedBy(name: string, before: Float32Array, after: Float32Array): Moved {
  let [by, from] = [0, 0];
  for (let at = 0; at < before.length; at++) {
    by += (after[at]! - before[at]!) ** 2;
    from += before[at]! ** 2;
  }
  return { name, by: rounded(Math.sqrt(by)), from: rounded(Math.sqrt(from)) };
}

/** Which of `all` the `at`-th of so many parts holds. */
function partOf(at: number, all: number, parts: number): readonly [from: number, to: number] {
  return [Math.floor((at * all) / parts), Math.floor(((at + 1) * all) / parts)];
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
