import type { Kernels } from "../math/kernels.ts";
import { rateAt } from "../math/schedule.ts";
import type { Transform } from "../math/transform.ts";
import { applyBatch } from "./apply-batch.ts";
import { AuxiliaryHead } from "./auxiliary-head.ts";
import type { LayerAnswer } from "./decoupled-layer.ts";
import type { Example } from "./example.ts";
import type { LayerOptions } from "./layer-options.ts";
import { type LayerState, named, restoreTensors, transformTensors } from "./layer-state.ts";
import { UpdateLottery } from "./update-lottery.ts";

/**
 * A hidden layer that needs no answer at all: a head of its own judges its output by the network's loss, and the
 * gradient of that is what it follows (decoupled greedy learning, Belilovsky et al. 2020). A predecessor that learns
 * from gradients gets that one, backpropagated through this layer; one that is local itself gets none.
 */
export class LocalLayer {
  readonly kind = "local";
  readonly #options: LayerOptions;
  readonly #transform: Transform;
  readonly #auxiliary: AuxiliaryHead;
  readonly #turns: UpdateLottery;
  /** Of its own head's loss: what drove the last update. */
  outputGradient: Float32Array | undefined;

  constructor(kernels: Kernels, options: LayerOptions) {
    this.#options = options;
    this.#transform = options.parts.transform(kernels, options);
    this.#auxiliary = new AuxiliaryHead(kernels, options);
    this.#turns = new UpdateLottery(options);
  }

  /** Forward, local loss, backward through the weights of the forward, descend; forward alone where it is not its turn. */
  update(example: Example, batch: number): LayerAnswer {
    if (!this.#turns.takes(batch)) return this.#pass(example);
    const { rows } = example;
    const { learning, batches } = this.#options;
    const answer = this.rehearse(example);
    applyBatch(this.#transform, this.#options, this.#turns, rows, batch);
    this.#auxiliary.descend(rateAt(learning.layer, batch, batches), rows, this.#turns.step(batch));
    return answer;
  }

  /** What `update` would answer, without changing any state. */
  rehearse(example: Example): LayerAnswer {
    const { rows } = example;
    const output = this.#transform.forward(example.input, rows);
    const outputGradient = this.#auxiliary.outputGradient(output, example.labels, rows);
    this.outputGradient = outputGradient;
    const { wantInputGradient } = this.#options;
    return { output, inputGradient: this.#transform.backward(outputGradient, rows, wantInputGradient) };
  }

  /** The output with running statistics, rows × outputs. */
  evaluate(example: Example): Float32Array {
    return this.#transform.evaluate(example.input, example.rows);
  }

  /** What its own classifier makes of an output of `evaluate`, as the loss takes it; undefined where it has none. */
  classify(output: Float32Array, rows: number): Float32Array | undefined {
    return this.#auxiliary.classify(output, rows);
  }

  state(): LayerState {
    const tensors = {
      ...transformTensors(this.#transform),
      ...named("auxiliary", this.#auxiliary.tensors()),
      ...named("optimizer.auxiliary", this.#auxiliary.optimizerTensors()),
    };
    return { tensors, counters: this.#turns.counters() };
  }

  /** Copies in. Throws an Error listing missing and mis-sized names, and then has changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
    this.#turns.restore(state);
  }

  #pass({ input, rows }: Example): LayerAnswer {
    const output = this.#transform.forward(input, rows);
    this.#transform.track(rows);
    return { output, inputGradient: undefined };
  }
}
