import { type Details, detailsOf, isOn, largest, unexplainedOf } from "./details.ts";
import type { Loss } from "./kernels.ts";

/**
 * How an example is judged: its largest class; each bit by its side of the threshold; or each value by how far off it is
 * (regression).
 */
export type Judged = "class" | "bits" | "values";

/** Sums over examples, so that parts of an evaluation can be added up. */
export interface Tally {
  /** Σ of the loss over the examples. */
  readonly lossSum: number;
  /** Wrong examples (class), or wrong bits (bits); 0 for values. */
  readonly wrong: number;
  /** Examples with nothing wrong. */
  readonly exact: number;
  /** See `sumsOf`. */
  readonly sums?: readonly number[];
}

/** What a tally says of the examples it was taken over. */
export interface Score extends Details {
  /** Mean over the examples. */
  readonly loss: number;
  /** Fraction of examples (class), or of bits, that are wrong; of the variance that is not explained (values). */
  readonly error: number;
  /** Fraction of examples with every bit right; for bits only. */
  readonly exact?: number;
}

export const emptyTally: Tally = { lossSum: 0, wrong: 0, exact: 0 };

/** A softmax chooses one class; the other losses judge each output by itself. */
export function judgedBy(loss: Loss): "class" | "bits" {
  return loss === "softmax-cross-entropy" ? "class" : "bits";
}

/**
 * Wrong classes or bits, and exact examples, of what the loss was given (logits for the cross-entropies). `labels`: of a
 * row its class, or `columns` bits.
 */
export function judge(
  loss: Loss,
  outputs: Float32Array,
  labels: Float32Array,
  rows: number,
  columns: number,
): { wrong: number; exact: number } {
  let wrong = 0;
  let exact = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const found =
      judgedBy(loss) === "class"
        ? Number(largest(outputs, start, columns) !== labels[row])
        : wrongBits(loss, outputs, labels, start, columns);
    wrong += found;
    if (found === 0) exact++;
  }
  return { wrong, exact };
}

export function addTallies(a: Tally, b: Tally): Tally {
  const sums = a.sums && b.sums ? a.sums.map((sum, index) => sum + b.sums![index]!) : (a.sums ?? b.sums);
  return {
    lossSum: a.lossSum + b.lossSum,
    wrong: a.wrong + b.wrong,
    exact: a.exact + b.exact,
    ...(sums && { sums }),
  };
}

/** `columns`: labels an example has; `units`: see `detailsOf`. Over no examples at all every figure is NaN. */
export function scoreOf(
  tally: Tally,
  judged: Judged,
  rows: number,
  columns: number,
  units?: readonly number[],
): Score {
  const loss = tally.lossSum / rows;
  const details = detailsOf(tally, judged, rows, units);
  if (judged === "class") return { loss, error: tally.wrong / rows, ...details };
  if (judged === "values") return { loss, error: unexplainedOf(tally, rows), ...details };
  return { loss, error: tally.wrong / (rows * columns), exact: tally.exact / rows, ...details };
}

function wrongBits(
  loss: Loss,
  outputs: Float32Array,
  labels: Float32Array,
  start: number,
  columns: number,
): number {
  let wrong = 0;
  for (let i = start; i < start + columns; i++) if (isOn(loss, outputs[i]!) !== labels[i]! > 0.5) wrong++;
  return wrong;
}
