import type { Layer, NetworkOptions } from "../../shared/dni/build-layer.ts";
import { EvidenceStore } from "../../shared/dni/evidence.ts";
import type { Example } from "../../shared/dni/example.ts";
import type { GeneratorHealth } from "../../shared/dni/generators/linear-generator.ts";
import { type InputGenerator, inputGeneratorOf } from "../../shared/dni/input-generator.ts";
import { joined, type LayerState } from "../../shared/dni/layer-state.ts";
import { buildLayer } from "../../shared/layers/network.ts";
import { beliefsOf } from "../../shared/math/beliefs.ts";
import type { Kernels, Loss } from "../../shared/math/kernels.ts";
import { MOST_FIGURES } from "../../shared/telemetry/parse-telemetry.ts";
import {
  type ActivationFrame,
  type BatchFrame,
  type CorrectionFrame,
  type EvaluationFrame,
  type ForwardFrame,
  isEvaluation,
  type PreviewFrame,
  type QuestionFrame,
  rowsOf,
  shownIn,
  type TargetFrame,
  type Tensor,
  type TestResult,
} from "../../shared/wire/frames.ts";
import { LARGEST_VALUE } from "../../shared/wire/tensor.ts";
import { type BatchBuffers, batchBuffers, readBatch } from "./batch-buffers.ts";
import type { Computed, Output, Result, Sending, WorkOptions } from "./computed.ts";
import { Inspector } from "./inspector.ts";
import { Judgement } from "./judgement.ts";
import type { Kept } from "./lineage.ts";
import { Outgoing } from "./outgoing.ts";
import { PoisonError } from "./poison-error.ts";
import { SentLog, type Shown } from "./sent-log.ts";

/**
 * The learning side of a layer process: frames in, tensors out; it knows no link and no delivery. It is given
 * frames that its inspector has passed. Tensors that it returns alias the layer's buffers: send them before the
 * next call.
 */
export class LayerWork {
  readonly inspector: Inspector;
  readonly #kernels: Kernels;
  protected readonly layer: Layer;
  /** Where the layer is shown previews, and guesses its input of them. */
  readonly #inputs: InputGenerator | undefined;
  /** How an output of classifiers is to be read; `columns`: of one position. */
  readonly #judges: { readonly loss: Loss; readonly columns: number };
  /** A generator looks at the network's input, so that it goes on with every activation. */
  readonly #looksAtInput: boolean;
  readonly #isUnlocked: boolean;
  readonly #buffers: BatchBuffers;
  readonly #outgoing: Outgoing;
  readonly #evidence: EvidenceStore | undefined;
  /** What was sent, where that is kept. */
  readonly sent: SentLog | undefined;
  /** Head only. */
  readonly #judgement: Judgement;

  constructor(kernels: Kernels, network: NetworkOptions, number: number, options: WorkOptions) {
    const { ticketsKept, sentKept = 0, dtypes } = options;
    const { inputs, outputs } = network.layers[number - 1]!;
    // A head sends no output on: with many classes, room for it would be most of its memory.
    const sent = number < network.layers.length ? outputs : 0;
    const rows = network.run.batchSize;
    this.inspector = new Inspector(kernels, network, number, dtypes);
    this.#kernels = kernels;
    this.layer = buildLayer(kernels, network, number);
    this.#inputs = inputGeneratorOf(kernels, network, number);
    const { outputs: labels, positions = 1 } = network.layers.at(-1)!;
    this.#judges = { loss: network.loss, columns: labels / positions };
    this.#judgement = new Judgement(outputs, network.units);
    this.#looksAtInput = network.learning.generator.evidence.includes("input");
    this.#isUnlocked = network.learning.inputGenerator !== undefined;
    const needsInput = number > 1 && (this.#looksAtInput || this.#inputs !== undefined);
    this.#buffers = batchBuffers(kernels, network, number, needsInput);
    this.#outgoing = new Outgoing(kernels, dtypes.link, rows, { inputs, outputs: sent });
    if (this.layer.kind === "decoupled") {
      const widths = this.layer.evidenceWidths;
      const most = Math.max(ticketsKept, sentKept);
      this.#evidence = new EvidenceStore(kernels, most, { widths, maxRows: rows });
    }
    if (sentKept > 0) this.sent = new SentLog(sentKept);
  }

  /** Throws a FrameError unless the layer can take this frame, now or once more. */
  inspect(frame: BatchFrame | CorrectionFrame): void {
    this.inspector.inspect(frame);
    if (frame.kind !== "correction" && !isEvaluation(frame))
      this.sent?.requireRows(frame.batch, rowsOf(frame));
  }

  /** Learns the batch; the answer is its input gradient, none for the source. Head: the mean loss, and no output. */
  update(frame: BatchFrame): Computed & { readonly loss: number | undefined } {
    const example = this.#load(frame);
    const layer = this.layer;
    if (layer.kind === "locked" || layer.kind === "late")
      throw new Error(`Cannot update a ${layer.kind} layer without a gradient`);
    const result: Result & { readonly loss?: number } = layer.update(example, frame.batch);
    const { loss } = result;
    // A head that is the only layer sends no gradient: its loss is all that shows.
    if (loss !== undefined && !Number.isFinite(loss)) throw new PoisonError("loss");
    const { answer, output } = this.#computed(example, result);
    this.#keepEvidence(frame.batch, example, result.output);
    const shown = output && this.#shownOf(frame);
    this.sent?.keep(frame.batch, example.rows, { output: output?.tensor, answer, shown });
    return { answer, output, loss };
  }

  /** The same answer at present weights, changing nothing. */
  rehearse(frame: BatchFrame): Computed {
    const example = this.#load(frame);
    const layer = this.layer;
    if (layer.kind === "locked" || layer.kind === "late")
      throw new Error(`Cannot rehearse a ${layer.kind} layer without a gradient`);
    const result: Result = layer.rehearse(example);
    const computed = this.#computed(example, result);
    // With a log, the evidence of its update is there, or its target was learnt: this would push out what waits for others.
    if (this.sent === undefined) this.#keepEvidence(frame.batch, example, result.output);
    return computed;
  }

  /** What was answered and sent of the batch before; throws unless it is kept. */
  repeat({ batch }: BatchFrame): Computed {
    const again = this.sent?.again(batch);
    if (!again) throw new Error(`Cannot repeat batch ${batch}: it is not kept`);
    const { output, answer } = again;
    return { answer, output: output && { tensor: output } };
  }

  /** Throws a FrameError unless the layer can take this target; `rows`: as many as were sent of its batch. */
  inspectTarget(frame: TargetFrame, rows: number | undefined): void {
    this.inspector.inspectTarget(frame, rows ?? this.sent?.rowsOf(frame.batch));
  }

  /** `ticket`: by which `passBackward` finds this batch. */
  passForward(frame: BatchFrame, ticket: number): Output {
    const layer = this.layer;
    if (layer.kind !== "locked" && layer.kind !== "late")
      throw new Error(`Cannot pass forward: the layer is ${layer.kind}`);
    const example = this.#load(frame);
    const values = layer.kind === "late" ? layer.forward(example, ticket) : layer.forward(example);
    const tensor = this.#outgoing.output(values, example.rows);
    this.sent?.keep(frame.batch, example.rows, { output: tensor, shown: this.#shownOf(frame) });
    return { tensor, values };
  }

  passBackward(
    { batch }: BatchFrame,
    ticket: number,
    { gradient }: TargetFrame,
    learns: boolean,
  ): Tensor | undefined {
    const layer = this.layer;
    if (layer.kind !== "locked" && layer.kind !== "late")
      throw new Error(`Cannot pass backward: the layer is ${layer.kind}`);
    this.#buffers.readers.target.readChecked(gradient);
    const rows = gradient.shape[0];
    if (layer.kind === "late")
      return this.#outgoing.answer(
        layer.backward(ticket, this.#buffers.target, { rows, batch, learns }),
        rows,
      );
    const inputGradient = learns
      ? layer.backward(this.#buffers.target, rows, batch)
      : layer.rehearseBackward(this.#buffers.target, rows);
    const answer = this.#outgoing.answer(inputGradient, rows);
    if (learns) this.sent?.keep(batch, rows, { answer });
    return answer;
  }

  /** Of the guess that a locked layer mixed with what it heard last, where it guesses at all. */
  get mixedHealth(): GeneratorHealth | undefined {
    return "health" in this.layer ? this.layer.health : undefined;
  }

  /** Held-out data: the output for the successor; the head judges, and after the last part gives the result. */
  evaluate(frame: EvaluationFrame): { readonly output?: Output; readonly test?: TestResult } {
    const example = this.#load(frame);
    if (this.layer.kind !== "head") {
      const values = this.layer.evaluate(example);
      return { output: { tensor: this.#outgoing.output(values, example.rows), values } };
    }
    const test = this.#judgement.add(frame.evaluation, this.layer, example);
    if (!test) return {};
    if (!Number.isFinite(test.loss)) throw new PoisonError("test loss");
    return { test };
  }

  /**
   * Of one example without labels: what this layer's own classifier believes of it, if it has one and knows, and the
   * question for the successor. Changes no state; numbers that ran away are left out, and beliefs in more classes than the hub takes.
   */
  ask(question: QuestionFrame): { readonly beliefs?: readonly number[]; readonly passed?: QuestionFrame } {
    this.#buffers.readers.input.readChecked(question.activation);
    const layer = this.layer;
    const example = { rows: 1, input: this.#buffers.input, labels: this.#buffers.labels };
    const output = layer.kind === "head" ? undefined : layer.evaluate(example);
    if (output && !this.#kernels.isWithin(output, output.length, LARGEST_VALUE)) return {};
    const judged = layer.classify(output ?? this.#buffers.input, 1);
    const { loss, columns } = this.#judges;
    const beliefs = judged && columns <= MOST_FIGURES ? beliefsOf(loss, judged, columns) : undefined;
    if (!output) return beliefs ? { beliefs } : {};
    const passed = { ...question, activation: this.#outgoing.output(output, 1) };
    return beliefs ? { beliefs, passed } : { passed };
  }

  /** The output of this batch, for a successor that learns from it. */
  forwardFrame(frame: BatchFrame, { tensor }: Output): ActivationFrame {
    const evaluation = frame.kind === "activation" ? frame.evaluation : undefined;
    const shown = this.#shownOf(frame, this.#looksAtInput);
    return this.#outgoing.activation(frame.batch, tensor, shown, evaluation);
  }

  /** The batch, for a successor that guesses of it what this layer's output will be. */
  previewFrame(frame: BatchFrame): PreviewFrame {
    const { batch, labels } = frame;
    return { kind: "preview", batch, labels, input: shownIn(frame) };
  }

  /** The output of this batch, for a successor that was shown it before. */
  correctionFrame({ batch }: BatchFrame, { tensor }: Output): CorrectionFrame {
    return this.#outgoing.correction(batch, tensor);
  }

  /** What was sent on of a batch, as it was. Throws unless that batch is kept. */
  sendAgain({ batch, ticket }: Sending): ForwardFrame[] {
    const { output, shown } = this.sent?.again(batch) ?? {};
    if (!output || !shown) throw new Error(`Cannot send batch ${batch} again: it is not kept`);
    this.awaits(ticket);
    return this.#outgoing.again(batch, output, shown, this.#isUnlocked);
  }

  /** Learns to guess the input of the batch that was shown; undefined if it has other rows. */
  correct(shown: BatchFrame, { activation }: CorrectionFrame): GeneratorHealth | undefined {
    if (activation.shape[0] !== rowsOf(shown)) return undefined;
    const example = readBatch(this.#buffers, shown);
    this.#buffers.readers.input.readChecked(activation);
    return this.#inputs?.learn(example, this.#buffers.input, shown.batch);
  }

  /** To what was sent last an answer is due under this ticket. For who looks on: evidence is kept by batch. */
  awaits(_ticket: number): void {}

  /** The generator learns from the answer, of as many rows; undefined if there is no evidence of it any more. */
  learn(_ticket: number, { batch, gradient }: TargetFrame): GeneratorHealth | undefined {
    if (this.layer.kind !== "decoupled") return undefined;
    const evidence = this.#evidence?.take(batch);
    if (!evidence) return undefined;
    this.#buffers.readers.target.readChecked(gradient);
    return this.layer.learn(evidence, this.#buffers.target, batch);
  }

  forget(tickets: readonly number[]): void {
    if (this.layer.kind === "late") this.layer.forget(tickets);
  }

  state(): LayerState {
    return joined(this.layer.state(), this.#inputs?.state());
  }

  restore(state: LayerState): void {
    this.layer.restore(state);
    this.#inputs?.restore(state);
    this.#evidence?.restore(state);
  }

  /** What a life after this one cannot compute: what was sent of batch `firstSent` and on, what is to be learnt from of `learnt` and on. */
  keptSince(firstSent: number, learnt: number): Kept | undefined {
    if (this.sent === undefined) return undefined;
    return { frames: this.sent.framesSince(firstSent), evidence: this.#evidence?.stateSince(learnt) };
  }

  /** With the input that was heard, or the guess of it. */
  #load(frame: BatchFrame): Example {
    const example = readBatch(this.#buffers, frame);
    return frame.kind === "preview" ? { ...example, input: this.#inputs!.guess(example) } : example;
  }

  #computed({ rows }: Example, { inputGradient, output: values }: Result): Computed {
    const answer = this.#outgoing.answer(inputGradient, rows);
    const output = values && { tensor: this.#outgoing.output(values, rows), values };
    return { answer, output };
  }

  /** Also of what is not sent now: it may be sent later, in another life. */
  #keepEvidence(batch: number, example: Example, values: Float32Array | undefined): void {
    const { layer } = this;
    if (values && layer.kind === "decoupled") this.#evidence?.keep(batch, layer.evidence(example, values));
  }

  /** The first layer's input is the network's; whatever else came with it was not inspected. */
  #shownOf(frame: BatchFrame, isInputNeeded = this.#looksAtInput || this.#isUnlocked): Shown {
    const input = this.#buffers.networkInput ? frame.input : shownIn(frame);
    return { labels: frame.labels, input: isInputNeeded ? input : undefined };
  }
}
