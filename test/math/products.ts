import { normal } from "../../shared/math/random.ts";
import { range } from "./double-oracle.ts";

/** Numbers from one source of chance. */
export function drawer(random: () => number) {
  const whole = (below: number) => Math.floor(random() * below);
  const drawn = (length: number) => new Float32Array(length).map(() => normal(random));
  return { whole, drawn };
}

export interface Product {
  readonly shape: { readonly rows: number; readonly inner: number; readonly columns: number };
  readonly options: {
    readonly transposeA: boolean;
    readonly transposeB: boolean;
    readonly accumulate: boolean;
  };
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 29, 31, 32, 33, 37, 41, 64, 67];

/** The large ones cross the blocks (256 of the inner dimension, 256 columns) and leave a rest. */
export function fuzzedShapes(random: () => number): Product["shape"][] {
  const { whole } = drawer(random);
  const pick = () => SIZES[whole(SIZES.length)]!;
  return [
    { rows: 1, inner: 1, columns: 1 },
    { rows: 64, inner: 784, columns: 256 },
    { rows: 33, inner: 257, columns: 263 },
    { rows: 3, inner: 515, columns: 517 },
    ...range(60).map(() => ({ rows: pick(), inner: pick(), columns: pick() })),
  ];
}

/** Both transpositions, with and without accumulating. */
export const manners = range(8).map((bits) => ({
  transposeA: (bits & 1) > 0,
  transposeB: (bits & 2) > 0,
  accumulate: (bits & 4) > 0,
}));

/** The product and Σ|a||b| of each of its elements, by the definition and in double precision. */
export function productInDouble(
  { shape, options }: Product,
  a: Float32Array,
  b: Float32Array,
  before: Float32Array,
) {
  const { rows, inner, columns } = shape;
  const sums = new Float64Array(rows * columns);
  const sizes = new Float64Array(rows * columns);
  const [aRow, aInner] = options.transposeA ? [1, rows] : [inner, 1];
  const [bInner, bColumn] = options.transposeB ? [1, inner] : [columns, 1];
  for (let i = 0; i < sums.length; i++) {
    const row = Math.floor(i / columns);
    const column = i % columns;
    let sum = options.accumulate ? before[i]! : 0;
    let size = Math.abs(sum);
    for (let k = 0; k < inner; k++) {
      const term = a[row * aRow + k * aInner]! * b[k * bInner + column * bColumn]!;
      sum += term;
      size += Math.abs(term);
    }
    sums[i] = sum;
    sizes[i] = size;
  }
  return { sums, sizes };
}
