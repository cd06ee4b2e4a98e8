import type { Kernels } from "../../shared/math/kernels.ts";
import type {
  ActivationFrame,
  CorrectionFrame,
  ForwardFrame,
  LinkDtype,
  Tensor,
} from "../../shared/wire/frames.ts";
import { LARGEST_VALUE, TensorWriter } from "../../shared/wire/tensor.ts";
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
    activation: Tensor,
    { labels, input }: Shown,
    evaluation?: ActivationFrame["evaluation"],
  ): ActivationFrame {
    return {
      kind: "activation",
      batch,
      activation,
      labels,
      ...(evaluation ? { evaluation } : {}),
      ...(input ? { input } : {}),
    };
  }

  correction(batch: number, activation: Tensor): CorrectionFrame {
    return { kind: "correction", batch, activation };
  }

  /** What went on of a batch: the preview, too, where the successor guesses. */
  again(batch: number, output: Tensor, shown: Shown, isPreviewed: boolean): ForwardFrame[] {
    const { labels, input } = shown;
    if (!isPreviewed) return [this.activation(batch, output, shown)];
    if (!input) throw new Error(`Cannot preview batch ${batch} again: its input is not kept`);
    return [{ kind: "preview", batch, labels, input }, this.correction(batch, output)];
  }

  output(values: Float32Array, rows: number): Tensor {
    return this.#written(this.#outputs, values, rows, "output");
  }

  answer(inputGradient: Float32Array | undefined, rows: number): Tensor | undefined {
    return inputGradient && this.#written(this.#answers, inputGradient, rows, "input gradient");
  }

  /** Nothing non-finite is ever sent (promise G5). */
  #written(writer: TensorWriter, values: Float32Array, rows: number, what: string): Tensor {
    if (!this.#kernels.isWithin(values, rows * writer.columns, LARGEST_VALUE)) throw new PoisonError(what);
    return writer.write(values, rows);
  }
}
