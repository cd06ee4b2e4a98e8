import { range, sum } from "../double-oracle.ts";

/** A transformer block in double precision, position by position, written from the papers; it shares nothing with ours. */
export interface DoubleBlock {
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly tensors: Readonly<Record<string, number[]>>;
}

/** input: rows sequences of positions × width → the block's output. */
export function blockInDouble(block: DoubleBlock, input: readonly number[], rows: number): number[] {
  const { positions, width } = block;
  return range(rows).flatMap((row) => {
    const sequence = range(positions).map((position) => {
      const start = (row * positions + position) * width;
      return input.slice(start, start + width);
    });
    return sequenceInDouble(block, sequence).flat();
  });
}

function sequenceInDouble(block: DoubleBlock, sequence: number[][]): number[][] {
  const { tensors, width } = block;
  const attended = attend(
    block,
    sequence.map((x) => times(norm(x, tensors["attention.gamma"]!), tensors["attention.mix"]!, 3 * width)),
  );
  const middle = sequence.map((x, i) => plus(x, times(attended[i]!, tensors["attention.project"]!, width)));
  return middle.map((x) => {
    const wide = times(norm(x, tensors["feedForward.gamma"]!), tensors["feedForward.expand"]!, 4 * width);
    return plus(x, times(wide.map(geluOf), tensors["feedForward.contract"]!, width));
  });
}

function attend({ heads, width }: DoubleBlock, mixed: number[][]): number[][] {
  const size = width / heads;
  return mixed.map((row, position) =>
    range(heads).flatMap((head) => {
      const query = row.slice(head * size, (head + 1) * size);
      const seen = mixed.slice(0, position + 1);
      const scores = seen.map((other) =>
        Math.exp(dot(query, other.slice(width + head * size, width + (head + 1) * size)) / Math.sqrt(size)),
      );
      const total = sum(scores);
      return range(size).map((i) =>
        sum(seen.map((other, s) => (scores[s]! / total) * other[2 * width + head * size + i]!)),
      );
    }),
  );
}

export function normInDouble(x: readonly number[], gamma: readonly number[]): number[] {
  return norm(x, gamma);
}

function geluOf(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

function norm(x: readonly number[], gamma: readonly number[]): number[] {
  const mean = sum(x) / x.length;
  const variance = sum(x.map((value) => (value - mean) ** 2)) / x.length;
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gamma[i]!);
}

function times(x: readonly number[], weight: readonly number[], columns: number): number[] {
  return range(columns).map((column) => sum(x.map((value, i) => value * weight[i * columns + column]!)));
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((value, i) => value * b[i]!));
}
