import type { Kernels } from "../math/kernels.ts";
import type { Transform } from "../math/transform.ts";
import { applyBatch } from "./apply-batch.ts";
import type { Example } from "./example.ts";
import type { LayerOptions } from "./layer-options.ts";
import { type LayerState, restoreTensors, transformTensors } from "./layer-state.ts";
import { UpdateLottery } from "./update-lottery.ts";

/**
 * A hidden layer of ordinary backpropagation: between forward and backward it waits for the true gradient. At most one
 * batch is on its way; evaluations in between do not disturb it. Returned arrays are its own, valid until the next
 * call of the same method.
 */
export class LockedLayer {
  readonly kind = "locked";
  readonly #options: LayerOptions;
  readonly #transform: Transform;
  /** A copy, since the caller's array may carry an evaluation by the time the gradient comes. */
  readonly #input: Float32Array;
  readonly #turns: UpdateLottery;

  constructor(kernels: Kernels, options: LayerOptions) {
    this.#options = options;
    this.#transform = options.parts.transform(kernels, options);
    this.#input = kernels.allocate(options.maxRows * options.inputs);
    this.#turns = new UpdateLottery(options);
  }

  /** The output, rows × outputs. Changes no state. */
  forward(example: Example): Float32Array {
    const { rows, input } = example;
    this.#input.set(input.subarray(0, rows * this.#options.inputs));
    return this.#transform.forward(this.#input, rows);
  }

  /**
   * outputGradient: the successor's inputGradient for the last forward → dL/d(input), rows × inputs, per example, if
   * wanted. Tracks the running statistics and descends. Throws an Error unless the last forward had as many rows.
   */
  backward(outputGradient: Float32Array, rows: number, batch: number): Float32Array | undefined {
    const inputGradient = this.rehearseBackward(outputGradient, rows);
    applyBatch(this.#transform, this.#options, this.#turns, rows, batch);
    return inputGradient;
  }

  /** What `backward` would answer, without changing any state. */
  rehearseBackward(outputGradient: Float32Array, rows: number): Float32Array | undefined {
    return this.#transform.backward(outputGradient, rows, this.#options.wantInputGradient);
  }

  /** The output with running statistics, rows × outputs. */
  evaluate(example: Example): Float32Array {
    return this.#transform.evaluate(example.input, example.rows);
  }

  /** It has no classifier. */
  classify(_output: Float32Array, _rows: number): undefined {
    return undefined;
  }

  state(): LayerState {
    return { tensors: transformTensors(this.#transform), counters: {} };
  }

  /** Copies in. Throws an Error listing missing and mis-sized names, and then has changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
  }
}
