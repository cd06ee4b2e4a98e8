import type { Kernels } from "../math/kernels.ts";
import type { Tensors } from "../math/parameter.ts";
import type { Transform } from "../math/transform.ts";
import { applyBatch } from "./apply-batch.ts";
import type { Example } from "./example.ts";
import type { LateOptions, LayerOptions } from "./layer-options.ts";
import { type LayerState, restoreTensors, transformTensors } from "./layer-state.ts";
import { UpdateLottery } from "./update-lottery.ts";

/** A batch on its way: what its backward pass will need. */
interface Stash {
  readonly input: Float32Array;
  /** As they were at its forward pass; none where it goes backward through the present ones. */
  readonly weights: Tensors;
  /** That the layer had made at its forward pass. */
  updates: number;
}

/**
 * A hidden layer of asynchronous backpropagation: it passes on one batch after another, and follows the true gradient of
 * each when it comes, updates later. By default a batch goes backward through the weights that it went forward through
 * (weight stashing: Narayanan et al. 2019, section 3.3); its forward pass is computed again for that, so that a batch on its
 * way takes no more memory than its input and the weights. The caller bounds how many there are. Returned arrays are its
 * own, valid until the next call of the same method.
 */
export class LateLayer {
  readonly kind = "late";
  readonly #kernels: Kernels;
  readonly #options: LayerOptions;
  readonly #late: LateOptions;
  readonly #transform: Transform;
  readonly #turns: UpdateLottery;
  readonly #free: Stash[] = [];
  readonly #waiting = new Map<number, Stash>();
  /** The weights to go back to, while those of a stash are in place. */
  readonly #present: Tensors;
  #updates = 0;

  constructor(kernels: Kernels, options: LayerOptions, late: LateOptions) {
    this.#kernels = kernels;
    this.#options = options;
    this.#late = late;
    this.#transform = options.parts.transform(kernels, options);
    this.#turns = new UpdateLottery(options);
    this.#present = this.#roomForWeights();
  }

  /** Floats per example. */
  get outputs(): number {
    return this.#options.outputs;
  }

  /** Batches that wait for their gradient. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The output, rows × outputs. Changes no weights. `ticket`: by which `backward` finds this batch. */
  forward({ rows, input }: Example, ticket: number): Float32Array {
    this.forget([ticket]);
    const stash = this.#free.pop() ?? this.#newStash();
    stash.input.set(input.subarray(0, rows * this.#options.inputs));
    copyAll(this.#transform.tensors(), stash.weights);
    stash.updates = this.#updates;
    this.#waiting.set(ticket, stash);
    return this.#transform.forward(stash.input, rows);
  }

  /**
   * outputGradient: the successor's inputGradient for the batch of this ticket, which waits no longer → dL/d(input),
   * rows × inputs, per example, if wanted. Where it learns, the present weights descend. Throws an Error at a ticket that
   * it does not know.
   */
  backward(
    ticket: number,
    outputGradient: Float32Array,
    {
      rows,
      batch,
      learns = true,
    }: { readonly rows: number; readonly batch: number; readonly learns?: boolean },
  ): Float32Array | undefined {
    const stash = this.#waiting.get(ticket);
    if (!stash) throw new Error(`Cannot go backward: ticket ${ticket} of batch ${batch} is not known`);
    copyAll(this.#transform.tensors(), this.#present);
    copyAll(stash.weights, this.#transform.tensors());
    this.#transform.forward(stash.input, rows);
    const inputGradient = this.#transform.backward(outputGradient, rows, this.#options.wantInputGradient);
    copyAll(this.#present, this.#transform.tensors());
    this.forget([ticket]);
    if (!learns) return inputGradient;
    const share = this.#share(this.#updates - stash.updates + 1, batch);
    applyBatch(this.#transform, this.#options, this.#turns, rows, batch, share);
    this.#updates++;
    return inputGradient;
  }

  forget(tickets: readonly number[]): void {
    for (const ticket of tickets) {
      const stash = this.#waiting.get(ticket);
      if (stash) this.#free.push(stash);
      this.#waiting.delete(ticket);
    }
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

  /** Of the rate: it falls with staleness at first, when steps are rash (Yang et al. 2021, section 3.1). */
  #share(staleness: number, batch: number): number {
    const { slowFor = 0 } = this.#late;
    return batch < slowFor ? staleness ** (batch / slowFor - 1) : 1;
  }

  #newStash(): Stash {
    const { maxRows, inputs } = this.#options;
    return {
      input: this.#kernels.allocate(maxRows * inputs),
      weights: this.#roomForWeights(),
      updates: 0,
    };
  }

  #roomForWeights(): Tensors {
    if (this.#late.weights === "present") return {};
    const tensors = Object.entries(this.#transform.tensors());
    return Object.fromEntries(tensors.map(([name, { length }]) => [name, new Float32Array(length)]));
  }
}

/** All of `from`, each into its namesake; the others of `to` stay. */
function copyAll(from: Tensors, to: Tensors): void {
  for (const [name, values] of Object.entries(from)) to[name]?.set(values);
}
