import { judgedBy } from "../math/accuracy.ts";
import type { Kernels, Loss } from "../math/kernels.ts";

/** What the labels of a network are. */
export interface LabelOptions {
  readonly loss: Loss;
  /** Outputs of the head: classes of all positions, bits, or values. */
  readonly labelWidth: number;
  /** Parts of an example that the loss judges each by itself. */
  readonly labelPositions: number;
}

/** How many classes a position may be of, where labels are classes: then one id stands for each position. */
export function classesOf({ loss, labelWidth, labelPositions }: LabelOptions): number | undefined {
  return judgedBy(loss) === "class" ? labelWidth / labelPositions : undefined;
}

/** Floats that the labels of an example take: an id of each position; bits or values one of each output. */
export function labelFloats(options: LabelOptions): number {
  return classesOf(options) === undefined ? options.labelWidth : options.labelPositions;
}

/** Floats of one-hot labels that are made at a time. */
const MOST_HOT = 16_384;

/** The network's loss, of what its head gives, or the head of a layer's own. */
export class LabelLoss {
  readonly #kernels: Kernels;
  readonly #options: LabelOptions;
  /** All zero between two calls, and as many positions as fit, where labels are classes. */
  readonly #hot: Float32Array | undefined;

  constructor(kernels: Kernels, options: LabelOptions & { readonly maxRows: number }) {
    this.#kernels = kernels;
    this.#options = options;
    const classes = classesOf(options);
    if (classes === undefined) return;
    const most = options.maxRows * options.labelPositions;
    this.#hot = kernels.allocate(classes * Math.min(most, Math.max(1, Math.floor(MOST_HOT / classes))));
  }

  /** Σ of the loss over positions; leaves dL/d(output) of each, rows × labelWidth, in `gradient`. */
  take(output: Float32Array, labels: Float32Array, gradient: Float32Array, rows: number): number {
    const { loss, labelWidth, labelPositions } = this.#options;
    const [positions, columns] = [rows * labelPositions, labelWidth / labelPositions];
    const hot = this.#hot;
    if (!hot) return this.#kernels.lossAndGradient(loss, output, labels, gradient, positions, columns);
    const most = hot.length / columns;
    let sum = 0;
    for (let from = 0; from < positions; from += most) {
      const count = Math.min(most, positions - from);
      const part = (values: Float32Array) =>
        count === positions ? values : values.subarray(from * columns, (from + count) * columns);
      for (let at = 0; at < count; at++) hot[at * columns + labels[from + at]!] = 1;
      sum += this.#kernels.lossAndGradient(loss, part(output), hot, part(gradient), count, columns);
      for (let at = 0; at < count; at++) hot[at * columns + labels[from + at]!] = 0;
    }
    return sum;
  }
}

/** Labels as products take them: rows × labelWidth. */
export type LabelView = (labels: Float32Array, rows: number) => Float32Array;

/** Classes one-hot, in an array that is valid until the next call; bits and values as they are. */
export function oneHotView(
  kernels: Kernels,
  options: LabelOptions & { readonly maxRows: number },
): LabelView {
  const classes = classesOf(options);
  if (classes === undefined) return (labels) => labels;
  const { labelPositions, labelWidth, maxRows } = options;
  const hot = kernels.allocate(maxRows * labelWidth);
  return (labels, rows) => {
    hot.fill(0);
    for (let at = 0; at < rows * labelPositions; at++) hot[at * classes + labels[at]!] = 1;
    return hot;
  };
}
