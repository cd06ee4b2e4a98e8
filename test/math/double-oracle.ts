/** A second implementation, in double precision and from the textbook, that shares nothing with the kernels. */
export interface DoubleLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly nonlinearity: "identity" | "relu" | "sigmoid" | "tanh";
  readonly weight: number[];
  readonly bias?: number[];
  readonly gamma?: number[];
  readonly beta?: number[];
}

const functions = {
  identity: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  sigmoid: (x: number) => Math.exp(x) / (1 + Math.exp(x)),
  tanh: (x: number) => (Math.exp(x) - Math.exp(-x)) / (Math.exp(x) + Math.exp(-x)),
};

export function outputInDouble(layer: DoubleLayer, input: readonly number[], rows: number): number[] {
  const { inputs, outputs, weight, bias, gamma, beta, nonlinearity } = layer;
  const affine = range(rows).map((row) =>
    range(outputs).map((unit) =>
      range(inputs).reduce(
        (sum, k) => sum + input[row * inputs + k]! * weight[k * outputs + unit]!,
        bias?.[unit] ?? 0,
      ),
    ),
  );
  const columns = range(outputs).map((unit) => affine.map((values) => values[unit]!));
  const normed =
    gamma && beta ? columns.map((values, unit) => norm(values, gamma[unit]!, beta[unit]!)) : columns;
  return range(rows * outputs).map((i) =>
    functions[nonlinearity](normed[i % outputs]![Math.floor(i / outputs)]!),
  );
}

function norm(values: number[], gamma: number, beta: number): number[] {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((x) => (x - mean) * (x - mean))) / values.length;
  return values.map((x) => (gamma * (x - mean)) / Math.sqrt(variance + 1e-5) + beta);
}

/** Summed over the rows. */
export function lossInDouble(
  loss: string,
  outputs: readonly number[],
  labels: readonly number[],
  columns: number,
): number {
  const terms = outputs.map((x, i) => {
    const y = labels[i]!;
    if (loss === "mean-squared-error") return 0.5 * (x - y) ** 2;
    if (loss === "sigmoid-cross-entropy") {
      const p = functions.sigmoid(x);
      return -y * Math.log(p) - (1 - y) * Math.log(1 - p);
    }
    const start = i - (i % columns);
    const total = sum(outputs.slice(start, start + columns).map(Math.exp));
    return -y * Math.log(Math.exp(x) / total);
  });
  return sum(terms);
}

/** df/d(values[i]) for every i, by moving one value at a time. */
export function centralDifferences(f: () => number, values: number[], step = 1e-5): number[] {
  return values.map((value, i) => {
    values[i] = value + step;
    const above = f();
    values[i] = value - step;
    const below = f();
    values[i] = value;
    return (above - below) / (2 * step);
  });
}

/** The largest difference between two arrays; NaN if any is NaN, Infinity if they differ in length. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(actual).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
