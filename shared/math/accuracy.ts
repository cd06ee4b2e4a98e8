import type { Loss } from "./kernels.ts";

/** How an example is judged: its largest class, or each bit by its side of the threshold. */
export type Judged = "class" | "bits";

/** Sums over examples, so that parts of an evaluation can be added up. */
export interface Tally {
  /** Σ of the loss over the examples. */
  readonly lossSum: number;
  /** Wrong examples (class), or wrong bits (bits). */
  readonly wrong: number;
  /** Examples with nothing wrong. */
  readonly exact: number;
}

/** What a tally says of the examples it was taken over. */
export interface Score {
  /** Mean over the examples. */
  readonly loss: number;
  /** Fraction of examples (class), or of bits (bits), that are wrong. */
  readonly error: number;
  /** Fraction of examples with every bit right; for bits only. */
  readonly exact?: number;
}

export const emptyTally: Tally = { lossSum: 0, wrong: 0, exact: 0 };

/** A softmax chooses one class; the other losses judge each output by itself. */
export function judgedBy(loss: Loss): Judged {
  return loss === "softmax-cross-entropy" ? "class" : "bits";
}

/** Wrong classes or bits, and exact examples, of what the loss was given (logits for the cross-entropies). */
export function judge(
  loss: Loss,
  outputs: Float32Array,
  labels: Float32Array,
  rows: number,
  columns: number,
): { wrong: number; exact: number } {
  // A logit of 0 is a probability of one half; mean squared error compares with the bits themselves.
  const threshold = loss === "sigmoid-cross-entropy" ? 0 : 0.5;
  let wrong = 0;
  let exact = 0;
  for (let start = 0; start < rows * columns; start += columns) {
    const found =
      judgedBy(loss) === "class"
        ? wrongClass(outputs, labels, start, columns)
        : wrongBits(outputs, labels, start, columns, threshold);
    wrong += found;
    if (found === 0) exact++;
  }
  return { wrong, exact };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return { lossSum: a.lossSum + b.lossSum, wrong: a.wrong + b.wrong, exact: a.exact + b.exact };
}

/** `columns`: labels an example has. Over no examples at all every figure is NaN. */
export function scoreOf(tally: Tally, judged: Judged, rows: number, columns: number): Score {
  const loss = tally.lossSum / rows;
  if (judged === "class") return { loss, error: tally.wrong / rows };
  return { loss, error: tally.wrong / (rows * columns), exact: tally.exact / rows };
}

function wrongClass(outputs: Float32Array, labels: Float32Array, start: number, columns: number): 0 | 1 {
  return largest(outputs, start, columns) === largest(labels, start, columns) ? 0 : 1;
}

function largest(values: Float32Array, start: number, columns: number): number {
  let best = start;
  for (let i = start + 1; i < start + columns; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

function wrongBits(
  outputs: Float32Array,
  labels: Float32Array,
  start: number,
  columns: number,
  threshold: number,
): number {
  let wrong = 0;
  for (let i = start; i < start + columns; i++) if (outputs[i]! > threshold !== labels[i]! > 0.5) wrong++;
  return wrong;
}
