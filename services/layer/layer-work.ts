import type { Layer, NetworkOptions } from "../../shared/dni/build-layer.ts";
import { EvidenceStore } from "../../shared/dni/evidence.ts";
import type { Example } from "../../shared/dni/example.ts";
import type { GeneratorHealth } from "../../shared/dni/generator.ts";
import { type InputGenerator, inputGeneratorOf } from "../../shared/dni/input-generator.ts";
import { joined, type LayerState } from "../../shared/dni/layer-state.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import { addTallies, emptyTally, type Tally, verdictOf } from "../../shared/math/accuracy.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import {
  type ActivationFrame,
  type BatchFrame,
  CloseCode,
  type CorrectionFrame,
  type Dtype,
  type GradientFrame,
  type LinkDtype,
  type PreviewFrame,
  type Tensor,
  type TestResult,
} from "../../shared/wire/frames.ts";
import { LARGEST_VALUE, TensorReader, TensorWriter } from "../../shared/wire/tensor.ts";

export interface WorkOptions {
  /** Most batches whose target is still to come. */
  readonly ticketsKept: number;
  readonly dtypes: {
    /** Of the network's own input, as the source sends it. */
    readonly input: "u8" | "f32";
    /** Of activations and gradients between layers. */
    readonly link: LinkDtype;
  };
}

/**
 * The learning side of a layer process: frames in, tensors out; it knows no link and no delivery. Tensors that it
 * returns alias the layer's buffers: send them before the next call.
 */
export class LayerWork {
  readonly #kernels: Kernels;
  readonly #network: NetworkOptions;
  readonly #layer: Layer;
  /** Where the layer is shown previews, and guesses its input of them. */
  readonly #inputs: InputGenerator | undefined;
  readonly #dtypes: { readonly activation: Dtype; readonly input: Dtype; readonly target: Dtype };
  readonly #widths: {
    readonly input: number;
    readonly output: number;
    readonly labels: number;
    readonly network: number;
  };
  /** A generator looks at the network's input, so that it goes on with every activation. */
  readonly #looksAtInput: boolean;
  readonly #input: Float32Array;
  readonly #labels: Float32Array;
  readonly #networkInput: Float32Array | undefined;
  readonly #target: Float32Array;
  readonly #readers: {
    readonly input: TensorReader;
    readonly labels: TensorReader;
    readonly networkInput: TensorReader | undefined;
    readonly target: TensorReader;
  };
  readonly #outputWriter: TensorWriter;
  readonly #answerWriter: TensorWriter;
  readonly #evidence: EvidenceStore | undefined;
  #output: { readonly example: Example; readonly values: Float32Array } | undefined;
  #tally: Tally = emptyTally;
  #tallied = 0;

  constructor(kernels: Kernels, network: NetworkOptions, number: number, options: WorkOptions) {
    const { ticketsKept, dtypes } = options;
    const { inputs, outputs } = network.layers[number - 1]!;
    const looksAtInput = network.learning.generator.evidence.includes("input");
    const labels = network.layers.at(-1)!.outputs;
    this.#widths = {
      input: inputs,
      output: outputs,
      labels,
      network: network.layers[0]!.inputs,
    };
    this.#looksAtInput = looksAtInput;
    this.#kernels = kernels;
    this.#network = network;
    const activation = number === 1 ? dtypes.input : dtypes.link;
    this.#dtypes = { activation, input: dtypes.input, target: dtypes.link };
    this.#layer = buildLayer(kernels, network, number);
    this.#inputs = inputGeneratorOf(kernels, network, number);
    const rows = network.run.batchSize;
    this.#input = kernels.allocate(rows * inputs);
    this.#labels = kernels.allocate(rows * labels);
    const needsInput = number > 1 && (looksAtInput || this.#inputs !== undefined);
    this.#networkInput = needsInput ? kernels.allocate(rows * this.#widths.network) : undefined;
    this.#target = kernels.allocate(rows * outputs);
    const readerOf = (floats: Float32Array) => new TensorReader(kernels, floats, rows);
    this.#readers = {
      input: readerOf(this.#input),
      labels: readerOf(this.#labels),
      networkInput: this.#networkInput && readerOf(this.#networkInput),
      target: readerOf(this.#target),
    };
    this.#outputWriter = new TensorWriter(kernels, dtypes.link, rows, outputs);
    this.#answerWriter = new TensorWriter(kernels, dtypes.link, rows, inputs);
    if (this.#layer.kind === "decoupled") {
      const widths = this.#layer.evidenceWidths;
      this.#evidence = new EvidenceStore(kernels, ticketsKept, { widths, maxRows: rows });
    }
  }

  /** Throws a FrameError unless this layer can take the frame: dtypes, shapes, and every value finite and of sane size. */
  inspect(frame: ActivationFrame | PreviewFrame | CorrectionFrame): void {
    this.#requireGuessing(frame);
    if (frame.kind === "correction") return this.#inspectActivation(frame.activation);
    const rows = rowsOf(frame);
    if (frame.kind === "activation") this.#inspectActivation(frame.activation);
    else this.#requireFewRows("input", rows);
    requireShape("labels", frame.labels, rows, this.#widths.labels);
    // Whatever is read is inspected, asked for or not.
    const isRead = this.#networkInput && (this.#looksAtInput || frame.input !== undefined);
    if (frame.kind === "preview" || isRead) this.#inspectInput(frame.input, rows);
    this.#read(frame);
  }

  /** Batches come as previews where inputs are guessed, and as activations where they are not; held-out data always as these. */
  #requireGuessing(frame: ActivationFrame | PreviewFrame | CorrectionFrame): void {
    const isGuessed = frame.kind !== "activation";
    if (isGuessed === (this.#inputs !== undefined) || ("evaluation" in frame && frame.evaluation)) return;
    const expected = this.#inputs ? "preview, as it guesses its input" : "activation";
    throw new FrameError(
      `batch ${frame.batch} comes as ${frame.kind}, this layer takes ${expected}`,
      CloseCode.mismatch,
    );
  }

  #inspectActivation(activation: Tensor): void {
    const rows = activation.shape[0];
    this.#requireFewRows("activation", rows);
    requireDtype("activation", activation, this.#dtypes.activation);
    requireShape("activation", activation, rows, this.#widths.input);
    this.#readers.input.read(activation);
  }

  #inspectInput(input: Tensor | undefined, rows: number): void {
    if (!input) throw new FrameError("activation comes without the network's input", CloseCode.mismatch);
    requireDtype("input", input, this.#dtypes.input);
    requireShape("input", input, rows, this.#widths.network);
  }

  #requireFewRows(what: string, rows: number): void {
    const most = this.#network.run.batchSize;
    if (rows > most)
      throw new FrameError(`${what} has ${rows} rows, this layer takes ${most}`, CloseCode.mismatch);
  }

  /**
   * Throws a FrameError unless the gradient fits this layer's output and is finite. `sent` is how many rows it answers,
   * where it is known still: of the batch that a locked layer waits with.
   */
  inspectTarget(frame: GradientFrame, sent?: number): void {
    if (!frame.gradient) return;
    requireDtype("gradient", frame.gradient, this.#dtypes.target);
    const rows = frame.gradient.shape[0];
    const most = sent ?? this.#network.run.batchSize;
    if (rows > most)
      throw new FrameError(`gradient has ${rows} rows, at most ${most} were sent`, CloseCode.mismatch);
    requireShape("gradient", frame.gradient, sent ?? rows, this.#widths.output);
    this.#readers.target.read(frame.gradient);
  }

  /** Learns the batch; the answer is its input gradient (none for the source). Head: also the mean loss. */
  update(frame: BatchFrame): { readonly answer: Tensor | undefined; readonly loss: number | undefined } {
    const example = this.#load(frame);
    if (this.#layer.kind === "locked") throw new Error("Cannot update a locked layer without a gradient");
    const result = this.#layer.update(example, frame.batch);
    if ("output" in result) this.#output = { example, values: result.output };
    const loss = "loss" in result ? result.loss : undefined;
    // A head that is alone answers nobody: its loss is all that shows.
    if (loss !== undefined && !Number.isFinite(loss)) throw new PoisonError("loss");
    return { answer: this.#answer(result.inputGradient, example.rows), loss };
  }

  /** The same answer at present weights, changing nothing. */
  rehearse(frame: BatchFrame): Tensor | undefined {
    const example = this.#load(frame);
    if (this.#layer.kind === "locked") throw new Error("Cannot rehearse a locked layer without a gradient");
    const result = this.#layer.rehearse(example);
    if ("output" in result) this.#output = { example, values: result.output };
    return this.#answer(result.inputGradient, example.rows);
  }

  passForward(frame: ActivationFrame): void {
    if (this.#layer.kind !== "locked") throw new Error("Cannot pass forward: the layer is not locked");
    const example = this.#load(frame);
    this.#output = { example, values: this.#layer.forward(example) };
  }

  passBackward(frame: ActivationFrame, gradient: Tensor, learns: boolean): Tensor | undefined {
    if (this.#layer.kind !== "locked") throw new Error("Cannot pass backward: the layer is not locked");
    this.#readers.target.read(gradient);
    const rows = gradient.shape[0];
    const inputGradient = learns
      ? this.#layer.backward(this.#target, rows, frame.batch)
      : this.#layer.rehearseBackward(this.#target, rows);
    return this.#answer(inputGradient, rows);
  }

  /** Of the guess that a locked layer mixed with what it heard last, where it guesses at all. */
  get mixedHealth(): GeneratorHealth | undefined {
    return "health" in this.#layer ? this.#layer.health : undefined;
  }

  /** Held-out data: the output is for the successor; the head judges, and after the last part gives the result. */
  evaluate(frame: ActivationFrame): TestResult | undefined {
    const example = this.#load(frame);
    if (this.#layer.kind !== "head") {
      this.#output = { example, values: this.#layer.evaluate(example) };
      return undefined;
    }
    const { part, parts } = frame.evaluation!;
    if (part === 0) this.#tallied = 0;
    this.#tally = addTallies(part === 0 ? emptyTally : this.#tally, this.#layer.evaluate(example));
    this.#tallied += example.rows;
    if (part < parts - 1) return undefined;
    const verdict = verdictOf(this.#tally, this.#layer.judged, this.#tallied, this.#widths.output);
    if (!Number.isFinite(verdict.loss)) throw new PoisonError("test loss");
    return verdict;
  }

  /** What the last update, rehearsal, forward pass or evaluation computed, for the successor. */
  forwardFrame(frame: ActivationFrame): ActivationFrame {
    const { example, values } = this.#lastOutput();
    const { batch, evaluation, labels } = frame;
    const activation = this.#written(this.#outputWriter, values, example.rows, "output");
    // The first layer's own is the network's; whatever else came with it was not inspected.
    const networkInput = this.#networkInput ? frame.input : frame.activation;
    const input = this.#looksAtInput ? networkInput : undefined;
    return {
      kind: "activation",
      batch,
      activation,
      labels,
      ...(evaluation ? { evaluation } : {}),
      ...(input ? { input } : {}),
    };
  }

  /** The batch, for a successor that guesses of it what this layer's output will be. */
  previewFrame(frame: BatchFrame): PreviewFrame {
    const { batch, labels } = frame;
    return { kind: "preview", batch, labels, input: shownIn(frame) };
  }

  /** What the last update or rehearsal computed, for a successor that was shown the batch before. */
  correctionFrame({ batch }: BatchFrame): CorrectionFrame {
    const { example, values } = this.#lastOutput();
    const activation = this.#written(this.#outputWriter, values, example.rows, "output");
    return { kind: "correction", batch, activation };
  }

  /** Learns to guess the input of the batch that was shown; undefined if it has other rows. */
  correct(shown: PreviewFrame, { activation }: CorrectionFrame): GeneratorHealth | undefined {
    if (activation.shape[0] !== rowsOf(shown)) return undefined;
    const example = this.#read(shown);
    this.#readers.input.read(activation);
    return this.#inputs?.learn(example, this.#input, shown.batch);
  }

  /** Keeps what the generator needs to learn from the answer to the output just sent. */
  keep(ticket: number): void {
    if (this.#layer.kind !== "decoupled") return;
    const { example, values } = this.#lastOutput();
    this.#evidence?.keep(ticket, this.#layer.evidence(example, values));
  }

  /** The generator learns from the answer; undefined if there is no evidence of it any more. */
  learn(ticket: number, target: Tensor, batch: number): GeneratorHealth | undefined {
    if (this.#layer.kind !== "decoupled") return undefined;
    const evidence = this.#evidence?.take(ticket);
    if (!evidence || evidence.rows !== target.shape[0]) return undefined;
    this.#readers.target.read(target);
    return this.#layer.learn(evidence, this.#target, batch);
  }

  forget(tickets: readonly number[]): void {
    for (const ticket of tickets) this.#evidence?.take(ticket);
  }

  state(): LayerState {
    return joined(this.#layer.state(), this.#inputs?.state());
  }

  restore(state: LayerState): void {
    this.#layer.restore(state);
    this.#inputs?.restore(state);
  }

  /** With the input that was heard, or the guess of it. */
  #load(frame: BatchFrame): Example {
    const example = this.#read(frame);
    return frame.kind === "preview" ? { ...example, input: this.#inputs!.guess(example) } : example;
  }

  /** A preview has no input of this layer: what is there is of another batch. */
  #read(frame: BatchFrame): Example {
    const example = { rows: rowsOf(frame), input: this.#input, labels: this.#labels };
    if (frame.kind === "activation") this.#readers.input.read(frame.activation);
    this.#readers.labels.read(frame.labels);
    if (frame.input) this.#readers.networkInput?.read(frame.input);
    return this.#networkInput ? { ...example, networkInput: this.#networkInput } : example;
  }

  #lastOutput(): { readonly example: Example; readonly values: Float32Array } {
    if (!this.#output) throw new Error("Cannot forward: nothing was computed");
    return this.#output;
  }

  #answer(inputGradient: Float32Array | undefined, rows: number): Tensor | undefined {
    return inputGradient && this.#written(this.#answerWriter, inputGradient, rows, "input gradient");
  }

  /** Nothing non-finite is ever sent (promise G5). */
  #written(writer: TensorWriter, values: Float32Array, rows: number, what: string): Tensor {
    if (!this.#kernels.isWithin(values, rows * writer.columns, LARGEST_VALUE)) throw new PoisonError(what);
    return writer.write(values, rows);
  }
}

/** The layer's own numbers ran away: its last checkpoint is the newest sane state. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";

  constructor(what: string) {
    super(`Cannot go on learning: this layer's ${what} is not finite, or beyond ±${LARGEST_VALUE}`);
  }
}

/** What the layer computes of: its input, or what it guesses that of. For layer 1 either is the network's input. */
function shownIn(frame: BatchFrame): Tensor {
  return frame.kind === "preview" ? frame.input : frame.activation;
}

function rowsOf(frame: BatchFrame): number {
  return shownIn(frame).shape[0];
}

function requireDtype(what: string, { dtype }: Tensor, expected: Dtype): void {
  if (dtype === expected) return;
  throw new FrameError(`${what} is ${dtype}, this layer takes ${expected}`, CloseCode.mismatch);
}

function requireShape(what: string, tensor: Tensor, rows: number, columns: number): void {
  const [foundRows, foundColumns] = tensor.shape;
  if (foundRows === rows && foundColumns === columns) return;
  const found = `${foundRows}×${foundColumns}`;
  throw new FrameError(`${what} is ${found}, this layer takes ${rows}×${columns}`, CloseCode.mismatch);
}
