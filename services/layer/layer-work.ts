import type { Layer, NetworkOptions } from "../../shared/dni/build-layer.ts";
import { EvidenceStore } from "../../shared/dni/evidence.ts";
import type { Example } from "../../shared/dni/example.ts";
import type { GeneratorHealth } from "../../shared/dni/generators/linear-generator.ts";
import { type InputGenerator, inputGeneratorOf } from "../../shared/dni/input-generator.ts";
import { joined, type LayerState } from "../../shared/dni/layer-state.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import { addTallies, emptyTally, scoreOf } from "../../shared/math/accuracy.ts";
import { beliefsOf } from "../../shared/math/beliefs.ts";
import type { Kernels, Loss } from "../../shared/math/kernels.ts";
import {
  type ActivationFrame,
  type BatchFrame,
  type CorrectionFrame,
  type EvaluationFrame,
  type PreviewFrame,
  type QuestionFrame,
  rowsOf,
  shownIn,
  type TargetFrame,
  type Tensor,
  type TestResult,
} from "../../shared/wire/frames.ts";
import { LARGEST_VALUE, TensorReader, TensorWriter } from "../../shared/wire/tensor.ts";
import { Inspector, type LayerDtypes } from "./inspector.ts";

interface WorkOptions {
  /** Most batches whose target is still to come. */
  readonly ticketsKept: number;
  readonly dtypes: LayerDtypes;
}

/**
 * What a layer computed of a batch, for its successor. It lies in the layer's memory until the next is computed.
 */
export interface Output {
  readonly example: Example;
  readonly values: Float32Array;
}

/**
 * The learning side of a layer process: frames in, tensors out; it knows no link and no delivery. It is given
 * frames that its inspector has passed. Tensors that it returns alias the layer's buffers: send them before the
 * next call.
 */
export class LayerWork {
  readonly inspector: Inspector;
  readonly #kernels: Kernels;
  readonly #layer: Layer;
  /** Where the layer is shown previews, and guesses its input of them. */
  readonly #inputs: InputGenerator | undefined;
  readonly #outputWidth: number;
  /** How an output of classifiers is to be read; `columns`: of one position. */
  readonly #judges: { readonly loss: Loss; readonly columns: number };
  readonly #units: readonly number[] | undefined;
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
  /** Head only: of the evaluation that is being heard. */
  #judged = { tally: emptyTally, rows: 0 };

  constructor(kernels: Kernels, network: NetworkOptions, number: number, options: WorkOptions) {
    const { ticketsKept, dtypes } = options;
    const { inputs, outputs } = network.layers[number - 1]!;
    const rows = network.run.batchSize;
    this.inspector = new Inspector(kernels, network, number, dtypes);
    this.#kernels = kernels;
    this.#layer = buildLayer(kernels, network, number);
    this.#inputs = inputGeneratorOf(kernels, network, number);
    this.#outputWidth = outputs;
    const { outputs: labels, positions = 1 } = network.layers.at(-1)!;
    this.#judges = { loss: network.loss, columns: labels / positions };
    this.#units = network.units;
    this.#looksAtInput = network.learning.generator.evidence.includes("input");
    this.#input = kernels.allocate(rows * inputs);
    this.#labels = kernels.allocate(rows * network.layers.at(-1)!.outputs);
    const needsInput = number > 1 && (this.#looksAtInput || this.#inputs !== undefined);
    this.#networkInput = needsInput ? kernels.allocate(rows * network.layers[0]!.inputs) : undefined;
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

  /**
   * Learns the batch; the answer is its input gradient (none for the source). Head: the mean loss, and no output.
   */
  update(frame: BatchFrame): Computed & { readonly loss: number | undefined } {
    const example = this.#load(frame);
    const layer = this.#layer;
    if (layer.kind === "locked" || layer.kind === "late")
      throw new Error(`Cannot update a ${layer.kind} layer without a gradient`);
    const result = layer.update(example, frame.batch);
    const output = "output" in result ? { example, values: result.output } : undefined;
    const loss = "loss" in result ? result.loss : undefined;
    // A head that is the only layer sends no gradient: its loss is all that shows.
    if (loss !== undefined && !Number.isFinite(loss)) throw new PoisonError("loss");
    return { answer: this.#answer(result.inputGradient, example.rows), output, loss };
  }

  /** The same answer at present weights, changing nothing. */
  rehearse(frame: BatchFrame): Computed {
    const example = this.#load(frame);
    const layer = this.#layer;
    if (layer.kind === "locked" || layer.kind === "late")
      throw new Error(`Cannot rehearse a ${layer.kind} layer without a gradient`);
    const result = layer.rehearse(example);
    const output = "output" in result ? { example, values: result.output } : undefined;
    return { answer: this.#answer(result.inputGradient, example.rows), output };
  }

  /** `ticket`: by which `passBackward` finds this batch. */
  passForward(frame: BatchFrame, ticket: number): Output {
    const layer = this.#layer;
    if (layer.kind !== "locked" && layer.kind !== "late")
      throw new Error(`Cannot pass forward: the layer is ${layer.kind}`);
    const example = this.#load(frame);
    const values = layer.kind === "late" ? layer.forward(example, ticket) : layer.forward(example);
    return { example, values };
  }

  passBackward(
    { batch }: BatchFrame,
    ticket: number,
    { gradient }: TargetFrame,
    learns: boolean,
  ): Tensor | undefined {
    const layer = this.#layer;
    if (layer.kind !== "locked" && layer.kind !== "late")
      throw new Error(`Cannot pass backward: the layer is ${layer.kind}`);
    this.#readers.target.readChecked(gradient);
    const rows = gradient.shape[0];
    if (layer.kind === "late")
      return this.#answer(layer.backward(ticket, this.#target, { rows, batch, learns }), rows);
    const inputGradient = learns
      ? layer.backward(this.#target, rows, batch)
      : layer.rehearseBackward(this.#target, rows);
    return this.#answer(inputGradient, rows);
  }

  /** Of the guess that a locked layer mixed with what it heard last, where it guesses at all. */
  get mixedHealth(): GeneratorHealth | undefined {
    return "health" in this.#layer ? this.#layer.health : undefined;
  }

  /** Held-out data: the output for the successor; the head judges, and after the last part gives the result. */
  evaluate(frame: EvaluationFrame): { readonly output?: Output; readonly test?: TestResult } {
    const example = this.#load(frame);
    if (this.#layer.kind !== "head") return { output: { example, values: this.#layer.evaluate(example) } };
    const { part, parts } = frame.evaluation;
    const before = part === 0 ? { tally: emptyTally, rows: 0 } : this.#judged;
    const tally = addTallies(before.tally, this.#layer.evaluate(example));
    this.#judged = { tally, rows: before.rows + example.rows };
    if (part < parts - 1) return {};
    const test = scoreOf(tally, this.#layer.judged, this.#judged.rows, this.#outputWidth, this.#units);
    if (!Number.isFinite(test.loss)) throw new PoisonError("test loss");
    return { test };
  }

  /**
   * Of one example without labels: what this layer's own classifier believes of it, if it has one and knows, and the
   * question for the successor. Changes no state; numbers that ran away are left out.
   */
  ask(question: QuestionFrame): { readonly beliefs?: readonly number[]; readonly passed?: QuestionFrame } {
    this.#readers.input.readChecked(question.activation);
    const layer = this.#layer;
    const isHead = layer.kind === "head";
    const example = { rows: 1, input: this.#input, labels: this.#labels };
    const output = isHead ? undefined : layer.evaluate(example);
    if (output && !this.#kernels.isWithin(output, output.length, LARGEST_VALUE)) return {};
    const judged = isHead ? layer.classify(this.#input, 1) : layer.classify(output!, 1);
    const beliefs = judged && beliefsOf(this.#judges.loss, judged, this.#judges.columns);
    if (!output) return beliefs ? { beliefs } : {};
    const passed = { ...question, activation: this.#outputTensor({ example, values: output }) };
    return beliefs ? { beliefs, passed } : { passed };
  }

  /** The output of this batch, for a successor that learns from it. */
  forwardFrame(frame: BatchFrame, output: Output): ActivationFrame {
    const evaluation = frame.kind === "activation" ? frame.evaluation : undefined;
    // The first layer's own is the network's; whatever else came with it was not inspected.
    const networkInput = this.#networkInput ? frame.input : shownIn(frame);
    const input = this.#looksAtInput ? networkInput : undefined;
    return {
      kind: "activation",
      batch: frame.batch,
      activation: this.#outputTensor(output),
      labels: frame.labels,
      ...(evaluation ? { evaluation } : {}),
      ...(input ? { input } : {}),
    };
  }

  /** The batch, for a successor that guesses of it what this layer's output will be. */
  previewFrame(frame: BatchFrame): PreviewFrame {
    const { batch, labels } = frame;
    return { kind: "preview", batch, labels, input: shownIn(frame) };
  }

  /** The output of this batch, for a successor that was shown it before. */
  correctionFrame({ batch }: BatchFrame, output: Output): CorrectionFrame {
    return { kind: "correction", batch, activation: this.#outputTensor(output) };
  }

  /** Learns to guess the input of the batch that was shown; undefined if it has other rows. */
  correct(shown: BatchFrame, { activation }: CorrectionFrame): GeneratorHealth | undefined {
    if (activation.shape[0] !== rowsOf(shown)) return undefined;
    const example = this.#read(shown);
    this.#readers.input.readChecked(activation);
    return this.#inputs?.learn(example, this.#input, shown.batch);
  }

  /** Keeps what the generator needs to learn from the answer to this output. */
  keep(ticket: number, { example, values }: Output): void {
    if (this.#layer.kind === "decoupled") this.#evidence?.keep(ticket, this.#layer.evidence(example, values));
  }

  /**
   * The generator learns from the answer, which has as many rows; undefined if there is no evidence of it any
   * more.
   */
  learn(ticket: number, { batch, gradient }: TargetFrame): GeneratorHealth | undefined {
    if (this.#layer.kind !== "decoupled") return undefined;
    const evidence = this.#evidence?.take(ticket);
    if (!evidence) return undefined;
    this.#readers.target.readChecked(gradient);
    return this.#layer.learn(evidence, this.#target, batch);
  }

  forget(tickets: readonly number[]): void {
    if (this.#layer.kind === "late") this.#layer.forget(tickets);
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
    if (frame.kind === "activation") this.#readers.input.readChecked(frame.activation);
    this.#readers.labels.readChecked(frame.labels);
    if (frame.input) this.#readers.networkInput?.readChecked(frame.input);
    return this.#networkInput ? { ...example, networkInput: this.#networkInput } : example;
  }

  #outputTensor({ example, values }: Output): Tensor {
    return this.#written(this.#outputWriter, values, example.rows, "output");
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

/** `answer`: its input gradient, for the predecessor; none for the source. The head has no output to pass on. */
interface Computed {
  readonly answer: Tensor | undefined;
  readonly output: Output | undefined;
}

/** The layer's own numbers ran away: its last checkpoint is the newest sane state. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";

  constructor(what: string) {
    super(`Cannot go on learning: this layer's ${what} is not finite, or beyond ±${LARGEST_VALUE}`);
  }
}
