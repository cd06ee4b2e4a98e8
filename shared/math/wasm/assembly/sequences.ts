// What transformers compute besides products. A sum along a row is sixteen sums, of every sixteenth float, added up half to
// half: the same order by vectors of any width.
import { FLOAT, VECTOR, firstLanes, keepFirst, put } from "./lanes";
import { sumProducts } from "./columns";
import { exponential } from "./exponential";

/** √(8/π): gelu(x) = x · σ(2u) with 2u = √(8/π)(x + 0.044715 x³), since ½(1 + tanh(u)) = σ(2u). */
const SLOPE: f32 = 1.5957691216057308;
const CUBIC: f32 = 0.044715;
/** Beyond it σ is 0 or 1, and a power might overflow. */
const FAR: f32 = 30;

/** What a sum along a row adds for the four floats at `i`. */
@unmanaged
class Value {
  @inline at(a: usize, b: usize, c: usize, centre: v128, i: usize): v128 {
    return v128.load(a + i);
  }
}

@unmanaged
class SquaredDistance {
  @inline at(a: usize, b: usize, c: usize, centre: v128, i: usize): v128 {
    const distance = f32x4.sub(v128.load(a + i), centre);
    return f32x4.mul(distance, distance);
  }
}

@unmanaged
class Product {
  @inline at(a: usize, b: usize, c: usize, centre: v128, i: usize): v128 {
    return f32x4.mul(v128.load(a + i), v128.load(b + i));
  }
}

@unmanaged
class ProductOfThree {
  @inline at(a: usize, b: usize, c: usize, centre: v128, i: usize): v128 {
    return f32x4.mul(f32x4.mul(v128.load(a + i), v128.load(b + i)), v128.load(c + i));
  }
}

/** The sum of a row of `length` terms. */
@inline
function sumOf<Term>(a: usize, b: usize, c: usize, centre: v128, length: i32): f32 {
  const term = changetype<Term>(0);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i: usize = 0;
  for (; length >= 16; length -= 16) {
    s0 = f32x4.add(s0, term.at(a, b, c, centre, i));
    s1 = f32x4.add(s1, term.at(a, b, c, centre, i + VECTOR));
    s2 = f32x4.add(s2, term.at(a, b, c, centre, i + 2 * VECTOR));
    s3 = f32x4.add(s3, term.at(a, b, c, centre, i + 3 * VECTOR));
    i += 4 * VECTOR;
  }
  if (length > 0) s0 = f32x4.add(s0, keepFirst(term.at(a, b, c, centre, i), length));
  if (length > 4) s1 = f32x4.add(s1, keepFirst(term.at(a, b, c, centre, i + VECTOR), length - 4));
  if (length > 8) s2 = f32x4.add(s2, keepFirst(term.at(a, b, c, centre, i + 2 * VECTOR), length - 8));
  if (length > 12) s3 = f32x4.add(s3, keepFirst(term.at(a, b, c, centre, i + 3 * VECTOR), length - 12));
  return sumOfSixteen(s0, s1, s2, s3);
}

@inline
function sumOfSixteen(s0: v128, s1: v128, s2: v128, s3: v128): f32 {
  const four = f32x4.add(f32x4.add(s0, s2), f32x4.add(s1, s3));
  const even = f32x4.extract_lane(four, 0) + f32x4.extract_lane(four, 2);
  return even + (f32x4.extract_lane(four, 1) + f32x4.extract_lane(four, 3));
}

/** Each row to mean 0 and variance 1, times gamma; leaves what `layerNormBackward` needs. */
export function layerNormForward(
  input: usize,
  output: usize,
  normalised: usize,
  inverse: usize,
  gamma: usize,
  rows: i32,
  columns: i32,
  epsilon: f32,
): void {
  const none = f32x4.splat(0);
  for (; rows > 0; rows--, inverse += 4) {
    const mean = f32x4.splat(sumOf<Value>(input, 0, 0, none, columns) / <f32>columns);
    const variance = sumOf<SquaredDistance>(input, 0, 0, mean, columns) / <f32>columns;
    const scale = <f32>1 / sqrt<f32>(variance + epsilon);
    f32.store(inverse, scale);
    let i: usize = 0;
    for (let left = columns; left > 0; left -= 4, i += VECTOR) {
      const x = f32x4.mul(f32x4.sub(v128.load(input + i), mean), f32x4.splat(scale));
      put(normalised + i, x, left);
      put(output + i, f32x4.mul(x, v128.load(gamma + i)), left);
    }
    const stride = <usize>columns << FLOAT;
    input += stride;
    output += stride;
    normalised += stride;
  }
}

/** Gradients by gamma, summed over the rows, and by input. */
export function layerNormBackward(
  gradient: usize,
  inputGradient: usize,
  normalised: usize,
  inverse: usize,
  gamma: usize,
  gammaGradient: usize,
  rows: i32,
  columns: i32,
): void {
  sumProducts(gradient, normalised, gammaGradient, rows, columns);
  const none = f32x4.splat(0);
  for (; rows > 0; rows--, inverse += 4) {
    const mean = f32x4.splat(sumOf<Product>(gradient, gamma, 0, none, columns) / <f32>columns);
    const along = f32x4.splat(
      sumOf<ProductOfThree>(gradient, gamma, normalised, none, columns) / <f32>columns,
    );
    const scale = v128.load32_splat(inverse);
    let i: usize = 0;
    for (let left = columns; left > 0; left -= 4, i += VECTOR) {
      const own = f32x4.sub(f32x4.mul(v128.load(gradient + i), v128.load(gamma + i)), mean);
      const rest = f32x4.sub(own, f32x4.mul(v128.load(normalised + i), along));
      put(inputGradient + i, f32x4.mul(rest, scale), left);
    }
    const stride = <usize>columns << FLOAT;
    gradient += stride;
    inputGradient += stride;
    normalised += stride;
  }
}

/** At least −FAR; NaN stays. */
@inline
function notBelow(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(-FAR));
}

/** At most FAR; NaN stays. */
@inline
function notAbove(x: v128): v128 {
  return f32x4.pmin(x, f32x4.splat(FAR));
}

/** e^−2u. */
@inline
function power(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(f32x4.mul(x, x), x), f32x4.splat(CUBIC));
  return exponential(f32x4.mul(f32x4.add(x, cube), f32x4.splat(-SLOPE)));
}

/** σ(2u) of e^−2u. */
@inline
function gate(power: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, power));
}

export function gelu(input: usize, output: usize, length: i32): void {
  for (; length > 0; length -= 4, input += VECTOR, output += VECTOR) {
    const x = notBelow(v128.load(input));
    put(output, f32x4.mul(x, gate(power(notAbove(x)))), length);
  }
}

/** σ + x · σ · (1 − σ) · √(8/π)(1 + 3 · 0.044715 x²) is the slope, where 1 − σ = e^−2u σ. */
export function geluBackward(input: usize, gradient: usize, inputGradient: usize, length: i32): void {
  const one = f32x4.splat(1);
  for (; length > 0; length -= 4, input += VECTOR, gradient += VECTOR, inputGradient += VECTOR) {
    const x = notAbove(notBelow(v128.load(input)));
    const closing = power(x);
    const open = gate(closing);
    const square = f32x4.mul(f32x4.mul(x, x), f32x4.splat(3 * CUBIC));
    const inner = f32x4.mul(f32x4.add(one, square), f32x4.splat(SLOPE));
    const bend = f32x4.mul(f32x4.mul(f32x4.mul(closing, open), f32x4.mul(x, open)), inner);
    put(inputGradient, f32x4.mul(v128.load(gradient), f32x4.add(open, bend)), length);
  }
}

/** Row i becomes the softmax of scale · its first i + 1 floats; what lies behind becomes 0. */
export function causalSoftmax(scores: usize, positions: i32, scale: f32): void {
  const stride = <usize>positions << FLOAT;
  for (let seen = 1; seen <= positions; seen++, scores += stride) {
    const largest = f32x4.splat(largestOf(scores, seen));
    for (let i = 0; i < seen; i += 4) {
      const at = scores + (<usize>i << FLOAT);
      const distance = f32x4.sub(v128.load(at), largest);
      put(at, exponential(f32x4.mul(distance, f32x4.splat(scale))), seen - i);
    }
    const total = f32x4.splat(sumOf<Value>(scores, 0, 0, largest, seen));
    for (let i = 0; i < positions; i += 4) {
      const at = scores + (<usize>i << FLOAT);
      put(at, keepSeen(f32x4.div(v128.load(at), total), seen - i), positions - i);
    }
  }
}

/** gradient: by the weights → by the scores, in place. */
export function causalSoftmaxBackward(weights: usize, gradient: usize, positions: i32, scale: f32): void {
  const stride = <usize>positions << FLOAT;
  for (let seen = 1; seen <= positions; seen++, weights += stride, gradient += stride) {
    const along = f32x4.splat(sumOf<Product>(weights, gradient, 0, f32x4.splat(0), seen));
    for (let i = 0; i < positions; i += 4) {
      const at = <usize>i << FLOAT;
      const scaled = f32x4.mul(v128.load(weights + at), f32x4.splat(scale));
      const own = f32x4.mul(scaled, f32x4.sub(v128.load(gradient + at), along));
      put(gradient + at, keepSeen(own, seen - i), positions - i);
    }
  }
}

/** Zeros from lane `seen` on, which may be less than none. */
@inline
function keepSeen(value: v128, seen: i32): v128 {
  return v128.and(value, firstLanes(seen));
}

@inline
function largestOf(values: usize, length: i32): f32 {
  let largest: f32 = -Infinity;
  for (const end = values + (<usize>length << FLOAT); values < end; values += 4) {
    const x = f32.load(values);
    if (x > largest) largest = x;
  }
  return largest;
}

/** From matrices of rows × columns pieces to such of columns × rows pieces; a piece is `length` floats. */
export function swapPieces(from: usize, to: usize, matrices: i32, rows: i32, columns: i32, length: i32): void {
  const piece = <usize>length << FLOAT;
  for (; matrices > 0; matrices--) {
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++, to += piece)
        copyPiece(from + (<usize>row * columns + column) * piece, to, length);
    }
    from += <usize>rows * columns * piece;
  }
}

@inline
function copyPiece(from: usize, to: usize, length: i32): void {
  for (; length > 0; length -= 4, from += VECTOR, to += VECTOR) put(to, v128.load(from), length);
}
