import { normal, seededRandom } from "../../shared/math/random.ts";

type Matrix = readonly Float64Array[];

/** What one pass of the tutorial's DNI layers leaves to see. */
interface Pass {
  /** Of each hidden layer's generator: Σ (s − t)². */
  readonly squaredErrors: readonly number[];
  /** What the tutorial prints: Σ |delta · out · (1 − out)| of the last layer. */
  readonly printed: number;
  /** Share of bits on their side of one half. */
  readonly bitsRight: number;
}

/** Which way both of its updates go: up as it is printed (`+=`), or down. */
export type Signs = "as printed" | "corrected";

/**
 * The DNI class of the tutorial (iamtrask, 2017-03-21), line by line, as layers of these sizes: no
 * biases, weights from randn · 0.2 − 0.1, all examples in one batch, as in its own code. Only the signs can be put right.
 */
export class TutorialDni {
  readonly #alpha: number;
  readonly #sign: 1 | -1;
  readonly #weights: Float64Array[][];
  readonly #generators: Float64Array[][];

  constructor(sizes: readonly number[], options: { alpha: number; signs: Signs; seed: number }) {
    const { alpha, signs, seed } = options;
    this.#alpha = alpha;
    this.#sign = signs === "as printed" ? 1 : -1;
    const random = seededRandom(seed, 4);
    const draw = (rows: number, columns: number) =>
      Array.from({ length: rows }, () =>
        Float64Array.from({ length: columns }, () => normal(random) * 0.2 - 0.1),
      );
    this.#weights = sizes.slice(1).map((size, index) => draw(sizes[index]!, size));
    this.#generators = sizes.slice(1, -1).map((size) => draw(size, size));
  }

  /** Every layer forward with its own update at once, then every generator with what its successor sent. */
  pass(input: Matrix, labels: Matrix): Pass {
    const hidden = this.#generators.length;
    let activation = input;
    const outputs: Matrix[] = [];
    const guesses: Matrix[] = [];
    const answers: Matrix[] = [];
    for (let k = 0; k < hidden; k++) {
      const output = sigmoid(times(activation, this.#weights[k]!));
      const guess = times(output, this.#generators[k]!);
      const throughOutput = each(guess, (s, i, j) => s * output[i]![j]! * (1 - output[i]![j]!));
      this.#add(this.#weights[k]!, this.#sign * this.#alpha, times(transposed(activation), throughOutput));
      answers.push(times(throughOutput, transposed(this.#weights[k]!)));
      outputs.push(output);
      guesses.push(guess);
      activation = output;
    }
    const last = this.#weights[hidden]!;
    const output = sigmoid(times(activation, last));
    const delta = each(output, (value, i, j) => (value - labels[i]![j]!) * value * (1 - value));
    answers.push(times(delta, transposed(last)));
    // The last layer is an ordinary one, and descends.
    this.#add(last, -this.#alpha, times(transposed(activation), delta));
    const squaredErrors = guesses.map((guess, k) => {
      const difference = each(guess, (s, i, j) => s - answers[k + 1]![i]![j]!);
      this.#add(this.#generators[k]!, this.#sign * this.#alpha, times(transposed(outputs[k]!), difference));
      return total(each(difference, (x) => x * x));
    });
    const wrong = total(each(output, (value, i, j) => Number(value > 0.5 !== labels[i]![j]! > 0.5)));
    return {
      squaredErrors,
      printed: total(each(delta, Math.abs)),
      bitsRight: 1 - wrong / (labels.length * labels[0]!.length),
    };
  }

  #add(to: Float64Array[], scale: number, what: Matrix): void {
    for (const [i, row] of to.entries()) for (let j = 0; j < row.length; j++) row[j]! += scale * what[i]![j]!;
  }
}

function times(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const sums = new Float64Array(b[0]!.length);
    for (const [k, value] of row.entries())
      for (let j = 0; j < sums.length; j++) sums[j]! += value * b[k]![j]!;
    return sums;
  });
}

function transposed(a: Matrix): Matrix {
  return Array.from(a[0]!, (_, j) => Float64Array.from(a, (row) => row[j]!));
}

function each(a: Matrix, f: (value: number, i: number, j: number) => number): Matrix {
  return a.map((row, i) => row.map((value, j) => f(value, i, j)));
}

function sigmoid(a: Matrix): Matrix {
  return each(a, (x) => 1 / (1 + Math.exp(-x)));
}

function total(a: Matrix): number {
  return a.reduce((sum, row) => sum + row.reduce((part, value) => part + value, 0), 0);
}
