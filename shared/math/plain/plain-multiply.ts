import type { MultiplyOptions } from "../kernels.ts";

interface Shape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** A transposed operand is the same numbers walked with other strides. */
export function multiply(
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  shape: Shape,
  options?: MultiplyOptions,
) {
  const { rows, inner, columns } = shape;
  const aRow = options?.transposeA ? 1 : inner;
  const aInner = options?.transposeA ? rows : 1;
  const bInner = options?.transposeB ? 1 : columns;
  const bColumn = options?.transposeB ? inner : 1;
  const kept = options?.accumulate ? 1 : 0;
  const tiledRows = rows - (rows % 4);
  const tiledColumns = columns - (columns % 2);
  // Columns outside: a pair of columns of b stays in cache while all rows of a pass by.
  for (let column = 0; column < tiledColumns; column += 2) {
    for (let row = 0; row < tiledRows; row += 4) {
      multiplyTile(a, b, c, row, column, inner, columns, aRow, aInner, bInner, bColumn, kept);
    }
    for (let row = tiledRows; row < rows; row++) {
      multiplyOne(a, b, c, row, column, inner, columns, aRow, aInner, bInner, bColumn, kept);
      multiplyOne(a, b, c, row, column + 1, inner, columns, aRow, aInner, bInner, bColumn, kept);
    }
  }
  for (let column = tiledColumns; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      multiplyOne(a, b, c, row, column, inner, columns, aRow, aInner, bInner, bColumn, kept);
    }
  }
}

/** Four rows and two columns of c at once: eight running sums are as many as fit the registers beside their factors. */
function multiplyTile(
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  row: number,
  column: number,
  inner: number,
  columns: number,
  aRow: number,
  aInner: number,
  bInner: number,
  bColumn: number,
  kept: number,
): void {
  let a0 = row * aRow;
  let a1 = a0 + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let b0 = column * bColumn;
  let b1 = b0 + bColumn;
  let c00 = 0;
  let c01 = 0;
  let c10 = 0;
  let c11 = 0;
  let c20 = 0;
  let c21 = 0;
  let c30 = 0;
  let c31 = 0;
  for (let k = 0; k < inner; k++) {
    const x = b[b0]!;
    const y = b[b1]!;
    const p = a[a0]!;
    const q = a[a1]!;
    const r = a[a2]!;
    const s = a[a3]!;
    c00 += p * x;
    c01 += p * y;
    c10 += q * x;
    c11 += q * y;
    c20 += r * x;
    c21 += r * y;
    c30 += s * x;
    c31 += s * y;
    a0 += aInner;
    a1 += aInner;
    a2 += aInner;
    a3 += aInner;
    b0 += bInner;
    b1 += bInner;
  }
  const at = row * columns + column;
  put(c, at, c00, kept);
  put(c, at + 1, c01, kept);
  put(c, at + columns, c10, kept);
  put(c, at + columns + 1, c11, kept);
  put(c, at + 2 * columns, c20, kept);
  put(c, at + 2 * columns + 1, c21, kept);
  put(c, at + 3 * columns, c30, kept);
  put(c, at + 3 * columns + 1, c31, kept);
}

function multiplyOne(
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  row: number,
  column: number,
  inner: number,
  columns: number,
  aRow: number,
  aInner: number,
  bInner: number,
  bColumn: number,
  kept: number,
): void {
  let sum = 0;
  for (let k = 0; k < inner; k++) sum += a[row * aRow + k * aInner]! * b[column * bColumn + k * bInner]!;
  put(c, row * columns + column, sum, kept);
}

function put(c: Float32Array, at: number, sum: number, kept: number): void {
  // Not `kept * c[at] + sum`: what an unkept c held before may be NaN.
  c[at] = kept === 1 ? c[at]! + sum : sum;
}
