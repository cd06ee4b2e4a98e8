import type { Product } from "../products.ts";

/** Steps of the inner dimension that are one chain of fused multiply-adds; see multiply.h. */
const DEPTH = 256;

const double = new Float64Array(1);
/** Of the double: the low half, then the high one, as all processors have it that Node runs on. */
const halves = new Int32Array(double.buffer);

/** a · b + c of three floats, rounded to a float once. */
export function fused(a: number, b: number, c: number): number {
  const product = a * b; // Exact: two floats have 48 bits together.
  const sum = product + c;
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  if (lost === 0 || !Number.isFinite(sum)) return Math.fround(sum);
  // Rounded to the odd neighbour, a double keeps enough of what is lost to be rounded to a float as if it were all there.
  double[0] = sum;
  if ((halves[0]! & 1) === 0) {
    if (lost > 0 === sum > 0) halves[0]! += 1;
    else {
      if (halves[0] === 0) halves[1]! -= 1;
      halves[0]! -= 1;
    }
  }
  return Math.fround(double[0]!);
}

/** The product in the one order that every path of the native kernels keeps to. */
export function productInOrder(
  { shape, options }: Product,
  a: Float32Array,
  b: Float32Array,
  before: Float32Array,
): Float32Array {
  const { rows, inner, columns } = shape;
  const [aRow, aInner] = options.transposeA ? [1, rows] : [inner, 1];
  const [bInner, bColumn] = options.transposeB ? [1, inner] : [columns, 1];
  return new Float32Array(rows * columns).map((_, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    let sum = options.accumulate ? before[i]! : 0;
    for (let from = 0; from < inner; from += DEPTH) {
      let block = 0;
      for (let k = from; k < Math.min(from + DEPTH, inner); k++) {
        block = fused(a[row * aRow + k * aInner]!, b[k * bInner + column * bColumn]!, block);
      }
      sum = from > 0 || options.accumulate ? Math.fround(sum + block) : block;
    }
    return sum;
  });
}
