import type { Config } from "../../shared/config/config.ts";
import type { Layer, NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { Head } from "../../shared/dni/head.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import { believe } from "../../shared/math/beliefs.ts";
import type { Kernels, Loss } from "../../shared/math/kernels.ts";
import type { Model } from "./model.ts";

/** A saved network in one process, which answers as the run's own evaluations do: running statistics, nothing learnt. */
export class Evaluation {
  /** Floats per example, in and out. */
  readonly inputs: number;
  readonly outputs: number;
  readonly #hidden: readonly Exclude<Layer, Head>[];
  readonly #head: Head;
  readonly #input: Float32Array;
  readonly #loss: Loss;
  readonly #columns: number;

  /** `rows`: examples of the largest batch. */
  constructor(kernels: Kernels, { config, saved }: Model, rows: number) {
    const { layers, loss } = config;
    const network = withoutGuesses(config, rows);
    const built = saved.layers.map((state, index) => {
      const layer = buildLayer(kernels, network, index + 1);
      layer.restore(state);
      return layer;
    });
    this.#hidden = built.slice(0, -1) as Exclude<Layer, Head>[];
    this.#head = built.at(-1) as Head;
    const last = layers.at(-1)!;
    this.inputs = layers[0]!.inputs;
    this.outputs = last.outputs;
    this.#input = kernels.allocate(rows * this.inputs);
    this.#loss = loss;
    this.#columns = last.outputs / (last.positions ?? 1);
  }

  /** input: rows × inputs → rows × outputs before the loss's nonlinearity: an array of its own, valid until the next call. */
  logits(input: Float32Array, rows: number): Float32Array {
    this.#input.set(input.subarray(0, rows * this.inputs));
    let values = this.#input;
    for (const layer of this.#hidden) values = layer.evaluate({ rows, input: values, labels: values });
    return this.#head.classify(values, rows);
  }

  /** input: rows × inputs → rows × outputs: probabilities, or values where the loss is the mean squared error; a copy. */
  answers(input: Float32Array, rows: number): Float32Array {
    const answers = this.logits(input, rows).slice();
    believe(this.#loss, answers, this.#columns);
    return answers;
  }
}

/** Of so many examples at once `Evaluation` is fast, and stays in bounds: where examples are large, of fewer. */
export function rowsAtOnce({ config }: Model, most: number): number {
  const widest = Math.max(...config.layers.flatMap(({ inputs, outputs }) => [inputs, outputs]));
  return Math.max(1, Math.min(most, Math.floor(FLOATS_AT_ONCE / widest)));
}

const FLOATS_AT_ONCE = 2 ** 21;

/** The same transforms, and no generator: backprop has none. */
function withoutGuesses({ layers, learning, run, ...rest }: Config, batchSize: number): NetworkOptions {
  const { mixture: _, ...others } = learning;
  return {
    ...rest,
    layers: layers.map(({ method: _, ...layer }) => layer),
    learning: { ...others, method: "backprop" },
    run: { ...run, batchSize },
  };
}
