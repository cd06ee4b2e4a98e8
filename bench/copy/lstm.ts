import type { Kernels } from "../../shared/math/kernels.ts";
import {
  type Optimizer,
  type OptimizerOptions,
  type OptimizerStep,
  optimizerOf,
} from "../../shared/math/optimizer.ts";
import { descendAll, type Parameter, parameterOf, type Tensors } from "../../shared/math/parameter.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";

interface LstmOptions {
  readonly inputs: number;
  readonly units: number;
  /** Of a window: what one forward and its backward walk through. */
  readonly steps: number;
  readonly rows: number;
  /** The first weights are drawn from seed and layer number, and nothing else. */
  readonly seed: number;
  readonly layer: number;
  readonly optimizer: OptimizerOptions;
}

/**
 * A long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), over windows of
 * `steps` steps; at each, of the input x and what it said last, h:
 *
 *     i, f, o = sigmoid([x h] · gates + gatesBias)      g = tanh([x h] · candidate + candidateBias)
 *     c ← f · c + i · g                                 h ← o · tanh(c)
 *
 * Its state is h and c side by side, rows × 2·units. Over a window, arrays have a block of rows for each step, one
 * after another. Returned arrays are its own, valid until the next call of the same method.
 */
export class Lstm {
  readonly #kernels: Kernels;
  readonly #options: LstmOptions;
  readonly #optimizer: Optimizer;
  readonly #parameters: Readonly<Record<"gates" | "gatesBias" | "candidate" | "candidateBias", Parameter>>;
  /** [x h] of every step. */
  readonly #seen: Float32Array;
  readonly #gates: Float32Array;
  readonly #gatesGradient: Float32Array;
  readonly #candidate: Float32Array;
  readonly #candidateGradient: Float32Array;
  /** c before the first step, then after each. */
  readonly #cells: Float32Array;
  /** tanh(c) after each step. */
  readonly #squashed: Float32Array;
  readonly #output: Float32Array;
  readonly #state: Float32Array;
  readonly #seenGradient: Float32Array;
  readonly #stateGradient: Float32Array;

  constructor(kernels: Kernels, options: LstmOptions) {
    const { inputs, units, steps, rows } = options;
    const width = inputs + units;
    const all = steps * rows;
    this.#kernels = kernels;
    this.#options = options;
    this.#optimizer = optimizerOf(options.optimizer);
    const parameter = (length: number) => parameterOf(kernels, [length], this.#optimizer);
    this.#parameters = {
      gates: parameter(width * 3 * units),
      gatesBias: parameter(3 * units),
      candidate: parameter(width * units),
      candidateBias: parameter(units),
    };
    this.#seen = kernels.allocate(all * width);
    this.#gates = kernels.allocate(all * 3 * units);
    this.#gatesGradient = kernels.allocate(all * 3 * units);
    this.#candidate = kernels.allocate(all * units);
    this.#candidateGradient = kernels.allocate(all * units);
    this.#cells = kernels.allocate((all + rows) * units);
    this.#squashed = kernels.allocate(all * units);
    this.#output = kernels.allocate(all * units);
    this.#state = kernels.allocate(rows * 2 * units);
    this.#seenGradient = kernels.allocate(rows * width);
    this.#stateGradient = kernels.allocate(rows * 2 * units);
    this.#drawWeights();
  }

  /** input: a window, × inputs; state: before it → h of every step, × units. */
  forward(input: Float32Array, state: Float32Array): Float32Array {
    this.#begin(state);
    for (let step = 0; step < this.#options.steps; step++) this.#stepForward(input, state, step);
    return this.#output;
  }

  /** After the last forward's window: what the next one begins with. */
  state(): Float32Array {
    const { units, rows, steps } = this.#options;
    const last = (steps - 1) * rows * units;
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const from = last + row * units + unit;
        this.#state[row * 2 * units + unit] = this.#output[from]!;
        this.#state[row * 2 * units + units + unit] = this.#cells[from + rows * units]!;
      }
    }
    return this.#state;
  }

  /**
   * outputGradient: dL/dh of every step of the last forward, of what h did outside; stateGradient: dL/d(state) after the
   * window, of all that comes later → dL/d(state) before it. Leaves each parameter's gradient, summed over rows and
   * steps, for `descend`: call it before.
   */
  backward(outputGradient: Float32Array, stateGradient: Float32Array): Float32Array {
    this.#stateGradient.set(stateGradient);
    for (let step = this.#options.steps - 1; step >= 0; step--) this.#stepBackward(outputGradient, step);
    this.#sumGradients();
    return this.#stateGradient;
  }

  descend(step: OptimizerStep): void {
    descendAll(this.#kernels, this.#optimizer, Object.values(this.#parameters), step);
  }

  /** Weights: the arrays themselves. */
  tensors(): Tensors {
    return Object.fromEntries(Object.entries(this.#parameters).map(([name, { value }]) => [name, value]));
  }

  #begin(state: Float32Array): void {
    const { units, rows } = this.#options;
    for (let row = 0; row < rows; row++) {
      const cells = state.subarray((row * 2 + 1) * units, (row * 2 + 2) * units);
      this.#cells.set(cells, row * units);
    }
  }

  #stepForward(input: Float32Array, state: Float32Array, step: number): void {
    const { inputs, units, rows } = this.#options;
    const { gates, gatesBias, candidate, candidateBias } = this.#parameters;
    this.#look(input, state, step);
    const seen = this.#at(this.#seen, step, inputs + units);
    const [sigmoids, tanhs] = [
      this.#at(this.#gates, step, 3 * units),
      this.#at(this.#candidate, step, units),
    ];
    this.#affine(seen, gates, gatesBias, sigmoids, 3 * units);
    this.#affine(seen, candidate, candidateBias, tanhs, units);
    this.#kernels.activate("sigmoid", sigmoids, sigmoids, rows * 3 * units);
    this.#kernels.activate("tanh", tanhs, tanhs, rows * units);
    this.#remember(step, sigmoids, tanhs);
  }

  #affine(seen: Float32Array, weight: Parameter, bias: Parameter, to: Float32Array, columns: number): void {
    const { inputs, units, rows } = this.#options;
    this.#kernels.multiply(seen, weight.value, to, { rows, inner: inputs + units, columns });
    this.#kernels.addBias(to, bias.value, rows, columns);
  }

  /** Puts x and the last h side by side. */
  #look(input: Float32Array, state: Float32Array, step: number): void {
    const { inputs, units, rows } = this.#options;
    for (let row = 0; row < rows; row++) {
      const at = step * rows + row;
      const from = step === 0 ? row * 2 * units : (at - rows) * units;
      const said = step === 0 ? state : this.#output;
      this.#seen.set(input.subarray(at * inputs, (at + 1) * inputs), at * (inputs + units));
      this.#seen.set(said.subarray(from, from + units), at * (inputs + units) + inputs);
    }
  }

  #remember(step: number, gates: Float32Array, candidate: Float32Array): void {
    const { units, rows } = this.#options;
    const before = this.#at(this.#cells, step, units);
    const after = this.#at(this.#cells, step + 1, units);
    const [squashed, output] = [this.#at(this.#squashed, step, units), this.#at(this.#output, step, units)];
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const [at, input] = [row * units + unit, row * 3 * units + unit];
        after[at] = gates[input + units]! * before[at]! + gates[input]! * candidate[at]!;
      }
    }
    this.#kernels.activate("tanh", after, squashed, rows * units);
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const at = row * units + unit;
        output[at] = gates[(row * 3 + 2) * units + unit]! * squashed[at]!;
      }
    }
  }

  /** Moves #stateGradient from after the step to before it, and leaves the gradients of gates and candidate. */
  #stepBackward(outputGradient: Float32Array, step: number): void {
    const { inputs, units, rows } = this.#options;
    const [gates, candidate] = [
      this.#at(this.#gates, step, 3 * units),
      this.#at(this.#candidate, step, units),
    ];
    const gatesGradient = this.#at(this.#gatesGradient, step, 3 * units);
    const candidateGradient = this.#at(this.#candidateGradient, step, units);
    this.#throughCell(outputGradient, step, gatesGradient, candidateGradient);
    this.#kernels.activateBackward("sigmoid", gates, gatesGradient, gatesGradient, rows * 3 * units);
    this.#kernels.activateBackward("tanh", candidate, candidateGradient, candidateGradient, rows * units);
    const shape = { rows, columns: inputs + units };
    const { gates: gatesWeight, candidate: candidateWeight } = this.#parameters;
    this.#kernels.multiply(
      gatesGradient,
      gatesWeight.value,
      this.#seenGradient,
      { ...shape, inner: 3 * units },
      { transposeB: true },
    );
    this.#kernels.multiply(
      candidateGradient,
      candidateWeight.value,
      this.#seenGradient,
      { ...shape, inner: units },
      { transposeB: true, accumulate: true },
    );
    for (let row = 0; row < rows; row++) {
      const from = row * (inputs + units) + inputs;
      this.#stateGradient.set(this.#seenGradient.subarray(from, from + units), row * 2 * units);
    }
  }

  /** The derivatives of c and h by gates, candidate and the c before. */
  #throughCell(
    outputGradient: Float32Array,
    step: number,
    gatesGradient: Float32Array,
    candidateGradient: Float32Array,
  ): void {
    const { units, rows } = this.#options;
    const [gates, candidate] = [
      this.#at(this.#gates, step, 3 * units),
      this.#at(this.#candidate, step, units),
    ];
    const [squashed, before] = [this.#at(this.#squashed, step, units), this.#at(this.#cells, step, units)];
    const said = this.#at(outputGradient, step, units);
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const at = row * units + unit;
        const input = row * 3 * units + unit;
        const forget = input + units;
        const output = forget + units;
        const state = row * 2 * units + unit;
        const byOutput = said[at]! + this.#stateGradient[state]!;
        const slope = 1 - squashed[at]! * squashed[at]!;
        const byCell = this.#stateGradient[state + units]! + byOutput * gates[output]! * slope;
        gatesGradient[input] = byCell * candidate[at]!;
        gatesGradient[forget] = byCell * before[at]!;
        gatesGradient[output] = byOutput * squashed[at]!;
        candidateGradient[at] = byCell * gates[input]!;
        this.#stateGradient[state + units] = byCell * gates[forget]!;
      }
    }
  }

  #sumGradients(): void {
    const { inputs, units, rows, steps } = this.#options;
    const { gates, gatesBias, candidate, candidateBias } = this.#parameters;
    const shape = { rows: inputs + units, inner: steps * rows };
    const transposed = { transposeA: true };
    this.#kernels.multiply(
      this.#seen,
      this.#gatesGradient,
      gates.gradient,
      { ...shape, columns: 3 * units },
      transposed,
    );
    this.#kernels.multiply(
      this.#seen,
      this.#candidateGradient,
      candidate.gradient,
      { ...shape, columns: units },
      transposed,
    );
    this.#kernels.sumRows(this.#gatesGradient, gatesBias.gradient, steps * rows, 3 * units);
    this.#kernels.sumRows(this.#candidateGradient, candidateBias.gradient, steps * rows, units);
  }

  /** The rows of one step. */
  #at(window: Float32Array, step: number, width: number): Float32Array {
    const length = this.#options.rows * width;
    return window.subarray(step * length, (step + 1) * length);
  }

  /** Variance 1 / width keeps the size of sums; a forget gate that begins open lets the state last (Gers et al. 2000). */
  #drawWeights(): void {
    const { seed, layer, inputs, units } = this.#options;
    const random = seededRandom(seed, layer);
    const deviation = Math.sqrt(1 / (inputs + units));
    const { gates, candidate, gatesBias } = this.#parameters;
    for (const { value } of [gates, candidate]) {
      for (let i = 0; i < value.length; i++) value[i] = deviation * normal(random);
    }
    gatesBias.value.fill(1, units, 2 * units);
  }
}
