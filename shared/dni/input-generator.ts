import type { Kernels } from "../math/kernels.ts";
import { rateAt } from "../math/schedule.ts";
import type { NetworkOptions } from "./build-layer.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/generator-health.ts";
import { SyntheticGradientGenerator } from "./generators/linear-generator.ts";
import type { InputGeneratorOptions, LearningOptions } from "./layer-options.ts";
import { type LayerState, named, restoreTensors } from "./layer-state.ts";

export interface InputGuessOptions {
  /** Of the layer that need not wait for its input, from 2. */
  readonly layer: number;
  /** Floats per example: of that layer, and of the network. */
  readonly inputs: number;
  readonly networkInputs: number;
  readonly maxRows: number;
  readonly seed: number;
  /** Of the whole run: the schedule ends there. */
  readonly batches: number;
  readonly learning: LearningOptions;
  readonly generator: InputGeneratorOptions;
}

/**
 * I in the paper (Jaderberg et al. 2016, section 4.2): guesses a layer's input from the network's, so that the layer need
 * not wait for the one before it either. The same regression as a synthetic gradient's, towards the activation that
 * comes later. It does not see labels: a layer could read them off its input, and would in an evaluation find none.
 */
export class InputGenerator {
  readonly #options: InputGuessOptions;
  readonly #generator: SyntheticGradientGenerator;

  constructor(kernels: Kernels, options: InputGuessOptions) {
    const { layer, inputs, networkInputs, maxRows, seed, generator } = options;
    this.#options = options;
    this.#generator = new SyntheticGradientGenerator(kernels, {
      widths: { output: inputs, labels: 0, input: networkInputs },
      evidence: ["input"],
      maxRows,
      optimizer: { optimizer: "adam", momentum: 0 },
      hidden: { widths: generator.hidden, batchNorm: true, seed, layer: INPUT_DRAWS + layer },
    });
  }

  /** The synthetic input, rows × inputs: its own array, valid until the next call of any method. */
  guess({ rows, networkInput }: Example): Float32Array {
    return this.#generator.predict(evidenceOf(networkInput, rows));
  }

  /** One regression step towards `activation`, which came for this example, of batch `batch`. */
  learn({ rows, networkInput }: Example, activation: Float32Array, batch: number): GeneratorHealth {
    const { learning, generator, batches } = this.#options;
    const rate = rateAt({ ...learning.layer, rate: generator.rate }, batch, batches);
    return this.#generator.learn(evidenceOf(networkInput, rows), activation, rate);
  }

  state(): LayerState {
    const tensors = {
      ...named("inputGenerator", this.#generator.tensors()),
      ...named("optimizer.inputGenerator", this.#generator.optimizerTensors()),
    };
    return { tensors, counters: { "inputGenerator.steps": this.#generator.steps } };
  }

  /** Copies in; what a layer saved beside it is passed over. Throws an Error listing what is missing, having changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
    this.#generator.steps = state.counters["inputGenerator.steps"]!;
  }
}

/** That of layer `number`, which has learnt nothing yet; undefined for a layer that hears its input. */
export function inputGeneratorOf(
  kernels: Kernels,
  { layers, learning, run, seed }: NetworkOptions,
  number: number,
): InputGenerator | undefined {
  const { inputGenerator } = learning;
  if (!inputGenerator || number === 1) return undefined;
  return new InputGenerator(kernels, {
    layer: number,
    inputs: layers[number - 1]!.inputs,
    networkInputs: layers[0]!.inputs,
    maxRows: run.batchSize,
    seed,
    batches: run.batches,
    learning,
    generator: inputGenerator,
  });
}

/** So many layer numbers apart are the draws of these generators' hidden layers and of those that guess gradients. */
const INPUT_DRAWS = 50_000;
const NONE = new Float32Array(0);

function evidenceOf(input: Float32Array | undefined, rows: number) {
  if (!input) throw new Error("Cannot guess an input: the example has no network input");
  return { rows, output: NONE, labels: NONE, input };
}
