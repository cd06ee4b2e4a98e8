import { type Judged, judge, judgedBy, type Tally } from "../math/accuracy.ts";
import { sumsOf } from "../math/details.ts";
import type { Kernels } from "../math/kernels.ts";
import type { Transform } from "../math/transform.ts";
import { applyBatch } from "./apply-batch.ts";
import type { Example } from "./example.ts";
import { LabelLoss } from "./labels.ts";
import type { LayerOptions } from "./layer-options.ts";
import { type LayerState, restoreTensors, transformTensors } from "./layer-state.ts";
import { UpdateLottery } from "./update-lottery.ts";

interface HeadAnswer {
  /** dL/d(input), rows × inputs, per example. Undefined if not wanted, or if the head did not learn from this batch. */
  readonly inputGradient: Float32Array | undefined;
  /** Mean over the examples. */
  readonly loss: number;
}

/** The last layer: the only one that sees the loss. Returned arrays are its own, valid until its next call. */
export class Head {
  readonly kind = "head";
  /** How an evaluation judges its examples. */
  readonly judged: Judged;
  readonly #loss: LabelLoss;
  readonly #options: LayerOptions;
  readonly #transform: Transform;
  /** Of the loss: what drove the last update. */
  readonly outputGradient: Float32Array;
  readonly #turns: UpdateLottery;

  /** Throws an Error unless there is one output for each label. */
  constructor(kernels: Kernels, options: LayerOptions) {
    const { outputs, labelWidth, maxRows, loss, units } = options;
    if (outputs !== labelWidth) {
      throw new Error(`Cannot make a head: ${outputs} outputs, ${labelWidth} labels an example`);
    }
    this.judged = units ? "values" : judgedBy(loss);
    this.#loss = new LabelLoss(kernels, options);
    this.#options = options;
    this.#transform = options.parts.transform(kernels, options);
    this.outputGradient = kernels.allocate(maxRows * outputs);
    this.#turns = new UpdateLottery(options);
  }

  /** Forward, loss, backward through the weights of the forward, descend; the loss alone where it is not its turn. */
  update(example: Example, batch: number): HeadAnswer {
    if (!this.#turns.takes(batch)) return this.#pass(example);
    const answer = this.rehearse(example);
    applyBatch(this.#transform, this.#options, this.#turns, example.rows, batch);
    return answer;
  }

  #pass(example: Example): HeadAnswer {
    const { rows, input } = example;
    const loss = this.#lossOf(this.#transform.forward(input, rows), example) / rows;
    this.#transform.track(rows);
    return { inputGradient: undefined, loss };
  }

  /** What `update` would answer, without changing any state. */
  rehearse(example: Example): HeadAnswer {
    const { rows, input } = example;
    const output = this.#transform.forward(input, rows);
    const loss = this.#lossOf(output, example) / rows;
    const inputGradient = this.#transform.backward(
      this.outputGradient,
      rows,
      this.#options.wantInputGradient,
    );
    return { inputGradient, loss };
  }

  /** Loss and mistakes with running statistics, summed over the examples; of a sequence, the mean of its positions. */
  evaluate(example: Example): Tally {
    const { rows, labels } = example;
    const { loss, outputs, labelPositions } = this.#options;
    const output = this.classify(example.input, rows);
    const lossSum = this.#lossOf(output, example);
    const [judgedRows, columns] = [rows * labelPositions, outputs / labelPositions];
    const sums = sumsOf(this.judged, loss, output, labels, judgedRows, columns);
    if (this.judged === "values") return { lossSum, wrong: 0, exact: 0, ...sums };
    const judged = judge(loss, output, labels, judgedRows, columns);
    // The score divides wrong bits by all of an example's, and wrong classes by examples.
    const wrong = this.judged === "bits" ? judged.wrong : judged.wrong / labelPositions;
    return { lossSum, wrong, exact: judged.exact / labelPositions, ...sums };
  }

  /** What it makes of an input with running statistics, rows × outputs, as the loss takes it. Changes no state. */
  classify(input: Float32Array, rows: number): Float32Array {
    return this.#transform.evaluate(input, rows);
  }

  state(): LayerState {
    return { tensors: transformTensors(this.#transform), counters: this.#turns.counters() };
  }

  /** Copies in. Throws an Error listing missing and mis-sized names, and then has changed nothing. */
  restore(state: LayerState): void {
    restoreTensors(this.state(), state);
    this.#turns.restore(state);
  }

  /** Σ of the loss over the examples, of a sequence the mean of its positions; leaves its gradient in outputGradient. */
  #lossOf(output: Float32Array, { labels, rows }: Example): number {
    return this.#loss.take(output, labels, this.outputGradient, rows) / this.#options.labelPositions;
  }
}
