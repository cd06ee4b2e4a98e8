import { integerBelow, type Random, randomStream, Stream } from "../../shared/data/random.ts";

/**
 * Endless streams of the copy task: symbols drawn at random, a sign that they end, and then the same symbols are asked
 * for, one a step, in their order; then others. Each row is a stream of its own, and is somewhere else in its sequence.
 */
export class CopyTask {
  /** Each symbol, and the end sign; nothing while the copy is asked for. */
  readonly inputWidth: number;
  readonly labelWidth: number;
  readonly #rows: readonly Row[];
  /** Symbols in the sequences that begin from now on. */
  length = 1;

  constructor(options: { readonly symbols: number; readonly rows: number; readonly seed: number }) {
    const { symbols, rows, seed } = options;
    this.inputWidth = symbols + 1;
    this.labelWidth = symbols;
    this.#rows = Array.from({ length: rows }, (_, row) => ({
      random: randomStream(Stream.training, seed, row),
      sequence: [],
      at: 0,
    }));
  }

  /** Writes what the next `steps` steps show and ask: a block of rows for each step, one-hot, or zeros for nothing. */
  next(steps: number, input: Float32Array, labels: Float32Array): void {
    input.fill(0);
    labels.fill(0);
    for (let step = 0; step < steps; step++) {
      for (const [index, row] of this.#rows.entries())
        this.#move(row, step * this.#rows.length + index, input, labels);
    }
  }

  #move(row: Row, block: number, input: Float32Array, labels: Float32Array): void {
    if (row.at > 2 * row.sequence.length || row.sequence.length === 0) this.#draw(row);
    const { sequence, at } = row;
    const end = sequence.length;
    if (at <= end) input[block * this.inputWidth + (sequence[at] ?? this.labelWidth)] = 1;
    else labels[block * this.labelWidth + sequence[at - end - 1]!] = 1;
    row.at++;
  }

  #draw(row: Row): void {
    row.sequence = Array.from({ length: this.length }, () => integerBelow(row.random, this.labelWidth));
    row.at = 0;
  }
}

interface Row {
  readonly random: Random;
  sequence: readonly number[];
  /** Steps since the sequence began. */
  at: number;
}
