import { labelsOf, type NetworkOptions } from "../../shared/dni/build-layer.ts";
import { classesOf, labelFloats } from "../../shared/dni/labels.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import {
  type BatchFrame,
  CloseCode,
  type CorrectionFrame,
  type Dtype,
  isEvaluation,
  type LinkDtype,
  type QuestionFrame,
  rowsOf,
  type TargetFrame,
  type Tensor,
} from "../../shared/wire/frames.ts";
import { TensorCheck } from "../../shared/wire/tensor.ts";

export interface LayerDtypes {
  /** Of the network's own input, as the source sends it. */
  readonly input: "u8" | "f32";
  /** Of activations and gradients between layers. */
  readonly link: LinkDtype;
}

/**
 * Whether a layer can take a frame: dtypes, shapes, and every value finite and of sane size. It leaves nothing
 * behind, whatever it finds. What passed is trusted from then on.
 */
export class Inspector {
  readonly #check: TensorCheck;
  readonly #maxRows: number;
  readonly #dtypes: Readonly<Record<"activation" | "labels" | "input" | "target", Dtype>>;
  readonly #widths: {
    readonly input: number;
    readonly output: number;
    readonly labels: number;
    readonly network: number;
  };
  readonly #guessesInput: boolean;
  /** How many ids there are, where the input is ids. */
  readonly #vocabulary: number | undefined;
  /** How many classes there are, where labels are classes. */
  readonly #classes: number | undefined;
  /** Whether it reads the network's own input, beside its own; "if sent": it does without, where there is none. */
  readonly #readsInput: "always" | "if sent" | "never";

  constructor(kernels: Kernels, network: NetworkOptions, number: number, dtypes: LayerDtypes) {
    const { layers, learning, run } = network;
    const { inputs, outputs } = layers[number - 1]!;
    const looksAtInput = learning.generator.evidence.includes("input");
    this.#widths = {
      input: inputs,
      output: number < layers.length ? outputs : 0,
      labels: labelFloats(labelsOf(network)),
      network: layers[0]!.inputs,
    };
    this.#maxRows = run.batchSize;
    const activation = number === 1 ? dtypes.input : dtypes.link;
    this.#classes = classesOf(labelsOf(network));
    const ids = this.#classes !== undefined && this.#classes > 256 ? "u16" : "u8";
    const labels = network.units ? "f32" : ids;
    this.#dtypes = { activation, labels, input: dtypes.input, target: dtypes.link };
    const { kind, own } = layers[number - 1]!;
    this.#vocabulary = kind === "embedding" ? Number(own?.vocabulary) : undefined;
    this.#guessesInput = number > 1 && learning.inputGenerator !== undefined;
    const mayRead = this.#guessesInput ? "if sent" : "never";
    this.#readsInput = number > 1 && looksAtInput ? "always" : mayRead;
    const widest = Math.max(...Object.values(this.#widths));
    this.#check = new TensorCheck(kernels, this.#maxRows, widest);
  }

  /** Throws a FrameError unless the layer can take this batch, part of an evaluation or correction. */
  inspect(frame: BatchFrame | CorrectionFrame): void {
    this.#requireKind(frame);
    if (frame.kind === "correction") return this.#inspectActivation(frame.activation);
    const rows = rowsOf(frame);
    if (frame.kind === "activation") this.#inspectActivation(frame.activation);
    else this.#requireFewRows("input", rows);
    requireShape("labels", frame.labels, rows, this.#widths.labels);
    if (frame.labels.dtype !== this.#dtypes.labels)
      throw new FrameError(`labels are ${frame.labels.dtype}, expected ${this.#dtypes.labels}`);
    if (this.#classes !== undefined) requireIds("class", frame.labels, this.#classes);
    else this.#check.check(frame.labels);
    if (this.#isInputRead(frame)) this.#inspectInput(frame.input, rows);
  }

  /** Throws a FrameError unless the layer can take this question. */
  inspectQuestion({ activation }: QuestionFrame): void {
    this.#inspectActivation(activation);
  }

  /**
   * Throws a FrameError unless the gradient fits this layer's output. `rows`: as many as were sent; undefined
   * where none is due, which is for delivery to judge.
   */
  inspectTarget({ gradient }: TargetFrame, rows: number | undefined): void {
    requireDtype("gradient", gradient, this.#dtypes.target);
    this.#requireFewRows("gradient", gradient.shape[0]);
    requireShape("gradient", gradient, rows ?? gradient.shape[0], this.#widths.output);
    this.#check.check(gradient);
  }

  /**
   * Batches come as previews where inputs are guessed, and as activations where not; held-out data always as
   * these.
   */
  #requireKind(frame: BatchFrame | CorrectionFrame): void {
    const isGuessed = frame.kind !== "activation";
    if (isGuessed === this.#guessesInput || isEvaluation(frame)) return;
    const expected = this.#guessesInput ? "preview, as it guesses its input" : "activation";
    throw mismatch(`batch ${frame.batch} comes as ${frame.kind}, this layer takes ${expected}`);
  }

  /** Whatever is read is inspected, asked for or not. */
  #isInputRead(frame: BatchFrame): boolean {
    if (frame.kind === "preview" || this.#readsInput === "always") return true;
    return this.#readsInput === "if sent" && frame.input !== undefined;
  }

  #inspectActivation(activation: Tensor): void {
    const rows = activation.shape[0];
    this.#requireFewRows("activation", rows);
    requireDtype("activation", activation, this.#dtypes.activation);
    requireShape("activation", activation, rows, this.#widths.input);
    this.#check.check(activation);
    if (this.#vocabulary !== undefined) requireIds("id", activation, this.#vocabulary);
  }

  #inspectInput(input: Tensor | undefined, rows: number): void {
    if (!input) throw mismatch("activation comes without the network's input");
    requireDtype("input", input, this.#dtypes.input);
    requireShape("input", input, rows, this.#widths.network);
    this.#check.check(input);
  }

  #requireFewRows(what: string, rows: number): void {
    if (rows > this.#maxRows) throw mismatch(`${what} has ${rows} rows, this layer takes ${this.#maxRows}`);
  }
}

/** Whole numbers below `count`, whatever they travel as; a byte is worth 1. One beyond has no vector, or no output. */
function requireIds(what: "id" | "class", { dtype, scale = 1, data }: Tensor, count: number): void {
  if (scale !== 1)
    throw mismatch(
      `${what === "id" ? "ids" : "labels"} are ${dtype} times ${scale}, this layer takes ${dtype}`,
    );
  const wrong = numbersIn(dtype, data).find((id) => !(Number.isInteger(id) && id >= 0 && id < count));
  if (wrong !== undefined)
    throw mismatch(`${what} ${wrong} is not one of the ${count} that this layer knows`);
}

function numbersIn(dtype: Dtype, data: Uint8Array): Uint8Array | Uint16Array | Float32Array {
  if (dtype === "u8") return data;
  // A view needs an offset that a frame does not give.
  const { buffer } = Uint8Array.from(data);
  return dtype === "u16" ? new Uint16Array(buffer) : new Float32Array(buffer);
}

function requireDtype(what: string, { dtype }: Tensor, expected: Dtype): void {
  if (dtype !== expected) throw mismatch(`${what} is ${dtype}, this layer takes ${expected}`);
}

function requireShape(what: string, tensor: Tensor, rows: number, columns: number): void {
  const [foundRows, foundColumns] = tensor.shape;
  if (foundRows === rows && foundColumns === columns) return;
  throw mismatch(`${what} is ${foundRows}×${foundColumns}, this layer takes ${rows}×${columns}`);
}

function mismatch(why: string): FrameError {
  return new FrameError(why, CloseCode.mismatch);
}
