import type { GeneratorHealth } from "../../shared/dni/generators/generator-health.ts";
import { SyntheticGradientGenerator } from "../../shared/dni/generators/linear-generator.ts";
import { DenseLayer } from "../../shared/math/dense-layer.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import type { Tensors } from "../../shared/math/parameter.ts";
import { Lstm } from "./lstm.ts";

/**
 * What a window's last state is told of the windows to come: nothing (backpropagation through time, truncated), the
 * guess of a generator, or the guess of one that never learns, which is the control.
 */
export type Boundary = "truncated" | "synthetic" | "frozen";

export interface WindowedOptions {
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
  /** Of a window: as far as true gradients go. */
  readonly steps: number;
  readonly rows: number;
  readonly seed: number;
  readonly boundary: Boundary;
  readonly rate: number;
  readonly generator: {
    readonly rate: number;
    /** Units of its rectified layers; none for a linear one. */
    readonly hidden: readonly number[];
    /** Times the guess, before it is used: under 1, what lies further ahead counts less with every window. */
    readonly scale: number;
  };
}

/** One window of every row's stream; a block of rows for each step, one after another. */
interface Window {
  readonly input: Float32Array;
  /** Dense: one-hot rows; zeros where nothing is asked, and no gradient comes from there. */
  readonly labels: Float32Array;
}

interface WindowAnswer {
  /** Softmax cross-entropy, summed over what was asked, in nats; from before the update. */
  readonly loss: number;
  /** Symbols asked for. */
  readonly asked: number;
  /** Of the guess made when the last window ended; undefined without a generator, or before there was a window. */
  readonly health: GeneratorHealth | undefined;
}

/**
 * A recurrent network unrolled a window at a time, whose last state need not wait for the windows to come: a generator
 * guesses dL/d(state) there (Jaderberg et al. 2016, section 2.3). Its target comes with the next window: the gradient at
 * that window's start, which holds the guess at its end. The state is handed from window to window and never reset.
 */
export class WindowedNetwork {
  readonly #options: WindowedOptions;
  readonly #kernels: Kernels;
  readonly #lstm: Lstm;
  readonly #readout: DenseLayer;
  readonly #generator: SyntheticGradientGenerator | undefined;
  /** Before the window. */
  readonly #state: Float32Array;
  readonly #boundaryGradient: Float32Array;
  readonly #outputGradient: Float32Array;
  #windows = 0;

  constructor(kernels: Kernels, options: WindowedOptions) {
    const { inputs, units, outputs, steps, rows, seed } = options;
    const optimizer = { optimizer: "adam", momentum: 0 } as const;
    this.#options = options;
    this.#kernels = kernels;
    this.#lstm = new Lstm(kernels, { inputs, units, steps, rows, seed, layer: 1, optimizer });
    this.#readout = new DenseLayer(kernels, {
      inputs: units,
      outputs,
      nonlinearity: "identity",
      batchNorm: false,
      maxRows: steps * rows,
      seed,
      layer: 2,
      optimizer,
    });
    this.#generator = generatorFor(kernels, options);
    this.#state = kernels.allocate(rows * 2 * units);
    this.#boundaryGradient = kernels.allocate(rows * 2 * units);
    this.#outputGradient = kernels.allocate(steps * rows * outputs);
  }

  /** Forward through the window, guess, backward, descend; and the generator learns of its guess for where it began. */
  learn({ input, labels }: Window): WindowAnswer {
    const { rows, steps, rate } = this.#options;
    const logits = this.#readout.forward(this.#lstm.forward(input, this.#state), steps * rows);
    const judged = this.#judge(logits, labels);
    const outputGradient = this.#readout.backward(this.#outputGradient, steps * rows, true)!;
    const nextState = this.#lstm.state();
    this.#guess(nextState);
    const target = this.#lstm.backward(outputGradient, this.#boundaryGradient);
    const health = this.#teach(target);
    this.#windows++;
    this.#lstm.descend({ rate, scale: 1 / rows, step: this.#windows });
    this.#readout.descend(rate, rows, this.#windows);
    this.#state.set(nextState);
    return { ...judged, health };
  }

  /** Weights, the generator's too: the arrays themselves. */
  tensors(): Tensors {
    const parts = { lstm: this.#lstm, readout: this.#readout, generator: this.#generator };
    const named = Object.entries(parts).flatMap(([part, holder]) =>
      Object.entries(holder?.tensors() ?? {}).map(([name, tensor]) => [`${part}.${name}`, tensor] as const),
    );
    return Object.fromEntries(named);
  }

  /** Leaves the gradient of the loss in #outputGradient; zeros where nothing is asked. */
  #judge(logits: Float32Array, labels: Float32Array): { loss: number; asked: number } {
    const { rows, steps, outputs } = this.#options;
    const gradient = this.#outputGradient;
    const all = rows * steps;
    const loss = this.#kernels.lossAndGradient(
      "softmax-cross-entropy",
      logits,
      labels,
      gradient,
      all,
      outputs,
    );
    let asked = 0;
    for (let at = 0; at < gradient.length; at += outputs) {
      if (labels.subarray(at, at + outputs).includes(1)) asked++;
      else gradient.fill(0, at, at + outputs);
    }
    return { loss, asked };
  }

  #guess(state: Float32Array): void {
    if (!this.#generator) return;
    const { rows, generator } = this.#options;
    const guess = this.#generator.predict({ rows, output: state, labels: NO_LABELS });
    for (let i = 0; i < guess.length; i++) this.#boundaryGradient[i] = generator.scale * guess[i]!;
  }

  #teach(target: Float32Array): GeneratorHealth | undefined {
    // Nobody guessed anything for the first window's state, which is zeros.
    if (!this.#generator || this.#windows === 0) return undefined;
    const { rows, boundary, generator } = this.#options;
    const evidence = { rows, output: this.#state, labels: NO_LABELS };
    if (boundary === "frozen") return this.#generator.measure(evidence, target);
    return this.#generator.learn(evidence, target, generator.rate);
  }
}

const NO_LABELS = new Float32Array(0);

function generatorFor(
  kernels: Kernels,
  { boundary, units, rows, seed, generator }: WindowedOptions,
): SyntheticGradientGenerator | undefined {
  if (boundary === "truncated") return undefined;
  return new SyntheticGradientGenerator(kernels, {
    widths: { output: 2 * units, labels: 0, input: 0 },
    evidence: ["output"],
    maxRows: rows,
    optimizer: { optimizer: "adam", momentum: 0 },
    hidden: { widths: generator.hidden, batchNorm: false, seed, layer: 1 },
  });
}
