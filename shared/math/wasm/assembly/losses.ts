// Losses and their gradients by the logits, per example. Sums of losses are kept in double precision.
import { FLOAT, VECTOR, addPairs, firstLanes, keepFirst, put, sumPair } from "./lanes";
import { exponential, logOnePlus, logarithm } from "./exponential";

/** Σ over rows of −Σ_c y log softmax(x)_c; gradient = softmax(x) − y. */
export function softmaxCrossEntropy(
  logits: usize,
  labels: usize,
  gradient: usize,
  rows: i32,
  columns: i32,
): f64 {
  let sum: f64 = 0;
  const stride = <usize>columns << FLOAT;
  for (; rows > 0; rows--) {
    sum += softmaxRow(logits, labels, gradient, columns);
    logits += stride;
    labels += stride;
    gradient += stride;
  }
  return sum;
}

/** Shifted by the largest logit, which changes nothing but keeps exp from overflowing. */
function softmaxRow(logits: usize, labels: usize, gradient: usize, columns: i32): f64 {
  const largest = f32x4.splat(largestOf(logits, columns));
  let totals = f64x2.splat(0);
  let labelled = f64x2.splat(0);
  let likelihoods = f64x2.splat(0);
  let at: usize = 0;
  for (let left = columns; left > 0; left -= 4) {
    const x = f32x4.sub(v128.load(logits + at), largest);
    const y = keepFirst(v128.load(labels + at), left);
    const power = exponential(x);
    totals = addPairs(totals, keepFirst(power, left));
    labelled = addPairs(labelled, y);
    likelihoods = addPairs(likelihoods, keepFirst(f32x4.mul(y, x), left));
    put(gradient + at, power, left);
    at += VECTOR;
  }
  // From 1 to `columns`, unless a logit is NaN or infinite; then `likelihoods` is NaN, and so is what is returned.
  const total = <f32>sumPair(totals);
  subtractLabels(gradient, labels, columns, total);
  return logarithm(total) * sumPair(labelled) - sumPair(likelihoods);
}

/** gradient = gradient / total − labels. */
@inline
function subtractLabels(gradient: usize, labels: usize, columns: i32, total: f32): void {
  for (; columns > 0; columns -= 4) {
    const probability = f32x4.div(v128.load(gradient), f32x4.splat(total));
    put(gradient, f32x4.sub(probability, v128.load(labels)), columns);
    gradient += VECTOR;
    labels += VECTOR;
  }
}

@inline
function largestOf(values: usize, length: i32): f32 {
  let largest: f32 = f32.load(values);
  for (const end = values + (<usize>length << FLOAT); values < end; values += 4) {
    largest = max(largest, f32.load(values));
  }
  return largest;
}

/** Σ of −y log σ(x) − (1 − y) log(1 − σ(x)); gradient = σ(x) − y. */
export function sigmoidCrossEntropy(logits: usize, labels: usize, gradient: usize, length: i32): f64 {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  let sums = f64x2.splat(0);
  for (; length > 0; length -= 4) {
    const x = v128.load(logits);
    const y = v128.load(labels);
    // e^−|x| cannot overflow, and gives both σ(x) and the logarithm.
    const power = exponential(f32x4.neg(f32x4.abs(x)));
    const linear = f32x4.sub(f32x4.pmax(x, zero), f32x4.mul(x, y));
    sums = addPairs(sums, keepFirst(f32x4.add(linear, logOnePlus(power)), length));
    const numerator = v128.bitselect(power, one, f32x4.lt(x, zero));
    put(gradient, f32x4.sub(f32x4.div(numerator, f32x4.add(one, power)), y), length);
    logits += VECTOR;
    labels += VECTOR;
    gradient += VECTOR;
  }
  return sumPair(sums);
}

/** Σ of ½ (p − y)²; gradient = p − y. */
export function squaredError(outputs: usize, labels: usize, gradient: usize, length: i32): f64 {
  let sums = f64x2.splat(0);
  for (; length > 0; length -= 4) {
    const difference = f32x4.sub(v128.load(outputs), v128.load(labels));
    sums = addPairs(sums, keepFirst(f32x4.mul(difference, difference), length));
    put(gradient, difference, length);
    outputs += VECTOR;
    labels += VECTOR;
    gradient += VECTOR;
  }
  return sumPair(sums) / 2;
}
