import type { Kernels } from "../../shared/math/kernels.ts";
import type {
  ActivationFrame,
  CorrectionFrame,
  ForwardFrame,
  LinkDtype,
  Tensor,
} from "../../shared/wire/frames.ts";
import { LARGEST_VALUE, TensorWriter } from "../../shared/wire/tensor.ts";
import type { Output } from "./computed.ts";
import { PoisonError } from "./poison-error.ts";
import type { Shown } from "./sent-log.ts";

/** What a layer computed, as it travels. Its tensors are valid until the next of the same way is written. */
export class Outgoing {
  readonly #kernels: Kernels;
  readonly #outputs: TensorWriter;
  readonly #answers: TensorWriter;

  constructor(
    kernels: Kernels,
    dtype: LinkDtype,
    maxRows: number,
    { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
  ) {
    this.#kernels = kernels;
    this.#outputs = new TensorWriter(kernels, dtype, maxRows, outputs);
    this.#answers = new TensorWriter(kernels, dtype, maxRows, inputs);
  }

  activation(
    batch: number,
    output: Output,
    { labels, input }: Shown,
    evaluation?: ActivationFrame["evaluation"],
  ): ActivationFrame {
    return {
      kind: "activation",
      batch,
      activation: this.tensor(output),
      labels,
      ...(evaluation ? { evaluation } : {}),
      ...(input ? { input } : {}),
    };
  }

  correction(batch: number, output: Output): CorrectionFrame {
    return { kind: "correction", batch, activation: this.tensor(output) };
  }

  /** What went on of a batch: the preview, too, where the successor guesses. */
  again(batch: number, output: Output, shown: Shown, isPreviewed: boolean): ForwardFrame[] {
    const { labels, input } = shown;
    if (!isPreviewed) return [this.activation(batch, output, shown)];
    if (!input) throw new Error(`Cannot preview batch ${batch} again: its input is not kept`);
    return [{ kind: "preview", batch, labels, input }, this.correction(batch, output)];
  }

  tensor({ example, values }: Output): Tensor {
    return this.#written(this.#outputs, values, example.rows, "output");
  }

  answer(inputGradient: Float32Array | undefined, rows: number): Tensor | undefined {
    return inputGradient && this.#written(this.#answers, inputGradient, rows, "input gradient");
  }

  requireSane(values: Float32Array, count: number, what: string): void {
    if (!this.#kernels.isWithin(values, count, LARGEST_VALUE)) throw new PoisonError(what);
  }

  /** Nothing non-finite is ever sent (promise G5). */
  #written(writer: TensorWriter, values: Float32Array, rows: number, what: string): Tensor {
    this.requireSane(values, rows * writer.columns, what);
    return writer.write(values, rows);
  }
}
