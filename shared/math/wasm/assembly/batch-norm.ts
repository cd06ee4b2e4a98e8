// Batch normalisation: Ioffe & Szegedy 2015, algorithm 1.
import { FLOAT, VECTOR, put } from "./lanes";
import { sumProducts, sumRows, sumSquares } from "./columns";

/** Columns whose factors fit the scratch area at a time; a row of so many is still read straight ahead. */
const CHUNK: i32 = 1024;

/** Leaves mean, (biased) variance and the normalised input for backward. */
export function batchNormForward(
  input: usize,
  output: usize,
  normalised: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  rows: i32,
  columns: i32,
  epsilon: f32,
  scratch: usize,
): void {
  sumRows(input, mean, rows, columns);
  divide(mean, mean, columns, <f32>rows);
  sumSquares(input, mean, variance, rows, columns);
  divide(variance, variance, columns, <f32>rows);
  for (let first = 0; first < columns; first += CHUNK) {
    const width = min(CHUNK, columns - first);
    const chunk = <usize>first << FLOAT;
    inverseDeviations(variance + chunk, scratch, width, epsilon);
    for (let row = 0; row < rows; row++) {
      let i = ((<usize>row * columns) << FLOAT) + chunk;
      let j = chunk;
      for (let left = width; left > 0; left -= 4) {
        const centred = f32x4.sub(v128.load(input + i), v128.load(mean + j));
        const value = f32x4.mul(centred, v128.load(scratch + j - chunk));
        put(normalised + i, value, left);
        put(output + i, f32x4.add(f32x4.mul(value, v128.load(gamma + j)), v128.load(beta + j)), left);
        i += VECTOR;
        j += VECTOR;
      }
    }
  }
}

/** running += momentum · (factor · batch − running). */
export function track(running: usize, batch: usize, columns: i32, momentum: f32, factor: f32): void {
  for (; columns > 0; columns -= 4) {
    const now = v128.load(running);
    const change = f32x4.sub(f32x4.mul(f32x4.splat(factor), v128.load(batch)), now);
    put(running, f32x4.add(now, f32x4.mul(f32x4.splat(momentum), change)), columns);
    running += VECTOR;
    batch += VECTOR;
  }
}

/** output = gamma · (input − mean) / √(variance + ε) + beta. */
export function batchNormEvaluate(
  input: usize,
  output: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  rows: i32,
  columns: i32,
  epsilon: f32,
  scratch: usize,
): void {
  for (let first = 0; first < columns; first += CHUNK) {
    const width = min(CHUNK, columns - first);
    const chunk = <usize>first << FLOAT;
    inverseDeviations(variance + chunk, scratch, width, epsilon);
    multiplyBy(scratch, gamma + chunk, width);
    for (let row = 0; row < rows; row++) {
      let i = ((<usize>row * columns) << FLOAT) + chunk;
      let j = chunk;
      for (let left = width; left > 0; left -= 4) {
        const centred = f32x4.sub(v128.load(input + i), v128.load(mean + j));
        const scaled = f32x4.mul(centred, v128.load(scratch + j - chunk));
        put(output + i, f32x4.add(scaled, v128.load(beta + j)), left);
        i += VECTOR;
        j += VECTOR;
      }
    }
  }
}

/**
 * inputGradient = gamma / √(variance + ε) · (gradient − (betaGradient + normalised · gammaGradient) / rows):
 * the batch's mean and variance depend on every example, so each loses its share of both sums.
 */
export function batchNormBackward(
  gradient: usize,
  inputGradient: usize,
  normalised: usize,
  variance: usize,
  gamma: usize,
  gammaGradient: usize,
  betaGradient: usize,
  rows: i32,
  columns: i32,
  epsilon: f32,
  scratch: usize,
): void {
  sumRows(gradient, betaGradient, rows, columns);
  sumProducts(gradient, normalised, gammaGradient, rows, columns);
  const betaShare = scratch + (<usize>CHUNK << FLOAT);
  const gammaShare = betaShare + (<usize>CHUNK << FLOAT);
  for (let first = 0; first < columns; first += CHUNK) {
    const width = min(CHUNK, columns - first);
    const chunk = <usize>first << FLOAT;
    inverseDeviations(variance + chunk, scratch, width, epsilon);
    multiplyBy(scratch, gamma + chunk, width);
    // Shares apart from the rows: a quotient that does not change in their loop is computed there nevertheless.
    divide(betaGradient + chunk, betaShare, width, <f32>rows);
    divide(gammaGradient + chunk, gammaShare, width, <f32>rows);
    for (let row = 0; row < rows; row++) {
      let i = ((<usize>row * columns) << FLOAT) + chunk;
      let j: usize = 0;
      for (let left = width; left > 0; left -= 4) {
        const projected = f32x4.mul(v128.load(normalised + i), v128.load(gammaShare + j));
        const own = f32x4.sub(v128.load(gradient + i), f32x4.add(v128.load(betaShare + j), projected));
        put(inputGradient + i, f32x4.mul(v128.load(scratch + j), own), left);
        i += VECTOR;
        j += VECTOR;
      }
    }
  }
}

/** inverses = 1 / √(variance + ε). */
function inverseDeviations(variance: usize, inverses: usize, columns: i32, epsilon: f32): void {
  for (; columns > 0; columns -= 4) {
    const deviation = f32x4.sqrt(f32x4.add(v128.load(variance), f32x4.splat(epsilon)));
    put(inverses, f32x4.div(f32x4.splat(1), deviation), columns);
    variance += VECTOR;
    inverses += VECTOR;
  }
}

function multiplyBy(values: usize, factors: usize, length: i32): void {
  for (; length > 0; length -= 4) {
    put(values, f32x4.mul(v128.load(values), v128.load(factors)), length);
    values += VECTOR;
    factors += VECTOR;
  }
}

/** output = values / divisor, in place too. */
function divide(values: usize, output: usize, length: i32, divisor: f32): void {
  for (; length > 0; length -= 4) {
    put(output, f32x4.div(v128.load(values), f32x4.splat(divisor)), length);
    values += VECTOR;
    output += VECTOR;
  }
}
