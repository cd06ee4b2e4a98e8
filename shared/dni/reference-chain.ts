import { addTallies, emptyTally, type Score, scoreOf } from "../math/accuracy.ts";
import type { Kernels, NarrowType } from "../math/kernels.ts";
import { Rounding } from "../math/rounding.ts";
import type { BuildLayer, Layer, NetworkOptions } from "./build-layer.ts";
import { type ChainBatch, ChainExamples } from "./chain-batch.ts";
import { type ChainLayer, chainLayerOf } from "./chain-layer.ts";
import type { GeneratorHealth } from "./generators/linear-generator.ts";
import type { Head } from "./head.ts";
import { type InputGenerator, inputGeneratorOf } from "./input-generator.ts";
import { joined, type LayerState } from "./layer-state.ts";
import type { Order } from "./order.ts";

export interface ChainOptions {
  /** D ≥ 1: a hidden layer learns the target of batch b − D just before it applies batch b. Backprop has none. */
  readonly staleness: number;
  /** In place of that, of each hidden layer: how a run that was not pinned has done it. */
  readonly orders?: readonly (Order | undefined)[];
  /** What a byte of input is worth; 1 unless given. Floats are taken as they are. */
  readonly inputScale?: number;
  /** Activations and gradients between layers are rounded to it, as they are where they travel as it; f32 unless given. */
  readonly dtype?: "f32" | NarrowType;
  /** Told how good the guess of a hidden layer was, when the layer hears what it should have been. */
  readonly onHealth?: (layer: number, batch: number, health: GeneratorHealth) => void;
}

/**
 * All layers of a network in one process, one batch after another: what the services must arrive at, bit for bit, when
 * their staleness is pinned, or what they have arrived at in the order that they recorded. Batches must come in order, from 0.
 */
export class ReferenceChain {
  /** Layer 1 first, the head last. */
  readonly layers: readonly Layer[];
  readonly #network: NetworkOptions;
  readonly #examples: ChainExamples;
  readonly #hidden: readonly ChainLayer[];
  /** Of the layers from 2 on, where they do not wait for their input; else none. */
  readonly #inputs: readonly InputGenerator[];
  /** What stands between a hidden layer and its successor, forward and back; nothing for f32. */
  readonly #roundings: readonly { readonly forward: Rounding; readonly back: Rounding }[] | undefined;
  readonly #head: Head;
  /** Before a snapshot all targets are learnt; a recorded order says when they were. */
  readonly #drainsEvery: number;

  constructor(kernels: Kernels, network: NetworkOptions, options: ChainOptions, build: BuildLayer) {
    const { layers, run } = network;
    this.#network = network;
    this.#examples = new ChainExamples(kernels, network, options.inputScale ?? 1);
    this.layers = layers.map((_, index) => build(kernels, network, index + 1));
    this.#head = this.layers.at(-1) as Head;
    const { staleness, orders, dtype = "f32" } = options;
    this.#drainsEvery = orders ? 0 : (run.snapshotEvery ?? 0);
    const hidden = this.layers.slice(0, -1);
    this.#hidden = hidden.map((layer, index) =>
      chainLayerOf(kernels, layer, {
        maxRows: run.batchSize,
        staleness,
        order: orders?.[index],
        isSettled: (next) => this.#isSettled(next),
        onHealth: (batch, health) => options.onHealth?.(index + 1, batch, health),
      }),
    );
    const guessing = layers.map((_, index) => inputGeneratorOf(kernels, network, index + 1));
    this.#inputs = guessing.filter((each) => each !== undefined);
    if (dtype === "f32") return;
    this.#roundings = hidden.map((_, index) => {
      const rounding = () => new Rounding(kernels, dtype, run.batchSize, layers[index]!.outputs);
      return { forward: rounding(), back: rounding() };
    });
  }

  /** Applies one batch to every layer; returns the training loss, mean over the examples, from before the head's step. */
  train(batch: ChainBatch, number: number): { loss: number } {
    const { rows } = batch;
    if (this.#drainsEvery > 0 && number > 0 && number % this.#drainsEvery === 0) this.drain();
    const shown = this.#examples.of(batch);
    const sent: Float32Array[] = [];
    let example = shown;
    for (const [index, layer] of this.#hidden.entries()) {
      sent.push(this.#sent("forward", index, layer.forward(example, number), rows));
      const input = this.#inputs[index]?.guess(shown) ?? sent[index]!;
      example = { ...example, input };
    }
    const { loss, inputGradient } = this.#head.update(example, number);
    this.#answer(this.#hidden.length - 1, inputGradient, { batch: number, rows });
    // Only now: the guesses that layers hold until they are done are the generators' own arrays.
    for (const [index, input] of this.#inputs.entries()) input.learn(shown, sent[index]!, number);
    return { loss };
  }

  /** Learns the targets that are still unlearnt, in order: at the end of the run, and where there is a snapshot. */
  drain(): void {
    for (const layer of this.#hidden) layer.drain();
  }

  /** Of each layer and of what guesses its input, as a checkpoint of its service has it. */
  states(): LayerState[] {
    return this.layers.map((layer, index) => joined(layer.state(), this.#inputs[index - 1]?.state()));
  }

  /** Loss and error over held-out data, with running statistics. */
  evaluate(parts: Iterable<ChainBatch>): Score {
    let tally = emptyTally;
    let rows = 0;
    for (const part of parts) {
      let example = this.#examples.of(part);
      for (const [index, { layer }] of this.#hidden.entries())
        example = { ...example, input: this.#sent("forward", index, layer.evaluate(example), part.rows) };
      tally = addTallies(tally, this.#head.evaluate(example));
      rows += part.rows;
    }
    const { layers, units } = this.#network;
    return scoreOf(tally, this.#head.judged, rows, layers.at(-1)!.outputs, units);
  }

  /** Hidden layer `index`, if there is one, hears what its successor says of a batch, and those before it what follows. */
  #answer(
    index: number,
    gradient: Float32Array | undefined,
    heard: { readonly batch: number; readonly rows: number },
  ): void {
    if (index < 0) return;
    const target = gradient && this.#sent("back", index, gradient, heard.rows);
    this.#hidden[index]!.hear(target, heard, (answer, of) => this.#answer(index - 1, answer, of));
  }

  #isSettled(next: number): boolean {
    const { batches, evaluateEvery = 0, snapshotEvery = 0 } = this.#network.run;
    return (
      next === batches || [evaluateEvery, snapshotEvery].some((every) => every > 0 && next % every === 0)
    );
  }

  /** What comes out where these values go over the link between hidden layer `index` and its successor. */
  #sent(way: "forward" | "back", index: number, values: Float32Array, rows: number): Float32Array {
    const roundings = this.#roundings?.[index];
    return roundings ? roundings[way].round(values, rows) : values;
  }
}
