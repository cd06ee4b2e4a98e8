// Kernels over the columns of a matrix, one example a row. They walk the rows as these lie in memory.
import { FLOAT, VECTOR, put } from "./lanes";

/** matrix[r][c] += bias[c]. */
export function addBias(matrix: usize, bias: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    let from = bias;
    let at = matrix + ((<usize>row * columns) << FLOAT);
    for (let left = columns; left > 0; left -= 4) {
      put(at, f32x4.add(v128.load(at), v128.load(from)), left);
      at += VECTOR;
      from += VECTOR;
    }
  }
}

/** sums[c] = Σ_r matrix[r][c]. */
export function sumRows(matrix: usize, sums: usize, rows: i32, columns: i32): void {
  sumTerms<Value>(matrix, 0, sums, rows, columns);
}

/** sums[c] = Σ_r a[r][c] · b[r][c]. */
export function sumProducts(a: usize, b: usize, sums: usize, rows: i32, columns: i32): void {
  sumTerms<Product>(a, b, sums, rows, columns);
}

/** sums[c] = Σ_r (matrix[r][c] − centre[c])². */
export function sumSquares(matrix: usize, centre: usize, sums: usize, rows: i32, columns: i32): void {
  sumTerms<SquaredDistance>(matrix, centre, sums, rows, columns);
}

/** What a sum adds for the four floats `i` bytes into the matrix and `j` bytes into its row. */
@unmanaged
class Value {
  @inline at(a: usize, b: usize, i: usize, j: usize): v128 {
    return v128.load(a + i);
  }
}

@unmanaged
class Product {
  @inline at(a: usize, b: usize, i: usize, j: usize): v128 {
    return f32x4.mul(v128.load(a + i), v128.load(b + i));
  }
}

@unmanaged
class SquaredDistance {
  @inline at(a: usize, b: usize, i: usize, j: usize): v128 {
    const distance = f32x4.sub(v128.load(a + i), v128.load(b + j));
    return f32x4.mul(distance, distance);
  }
}

/** Four rows at once: a quarter of the loads and stores of the sums, and less rounding. */
@inline
function sumTerms<Term>(a: usize, b: usize, sums: usize, rows: i32, columns: i32): void {
  const term = changetype<Term>(0);
  const stride = <usize>columns << FLOAT;
  memory.fill(sums, 0, stride);
  let start: usize = 0;
  for (; rows >= 4; rows -= 4) {
    let j: usize = 0;
    for (let left = columns; left > 0; left -= 4) {
      const i = start + j;
      const first = f32x4.add(term.at(a, b, i, j), term.at(a, b, i + stride, j));
      const second = f32x4.add(term.at(a, b, i + 2 * stride, j), term.at(a, b, i + 3 * stride, j));
      put(sums + j, f32x4.add(v128.load(sums + j), f32x4.add(first, second)), left);
      j += VECTOR;
    }
    start += 4 * stride;
  }
  for (; rows > 0; rows--) {
    let j: usize = 0;
    for (let left = columns; left > 0; left -= 4) {
      put(sums + j, f32x4.add(v128.load(sums + j), term.at(a, b, start + j, j)), left);
      j += VECTOR;
    }
    start += stride;
  }
}
