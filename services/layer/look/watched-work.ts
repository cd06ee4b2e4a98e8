import {
  type BatchFrame,
  type CorrectionFrame,
  isEvaluation,
  rowsOf,
  type TargetFrame,
} from "../../../shared/wire/frames.ts";
import type { Output } from "../computed.ts";
import { LayerWork } from "../layer-work.ts";
import { copiesOf, Look } from "./look.ts";

/** How a batch is looked at: the clock, and what to do with what was seen. */
interface Looking {
  /** Milliseconds since 1970, with fractions. */
  readonly clock: () => number;
  readonly done: (look: Look) => void;
}

/** The learning side; of one batch that somebody asked to look at it keeps what it saw. It computes nothing else than else. */
export class WatchedWork extends LayerWork {
  readonly #outputs: number;
  #look: Look | undefined;
  #done: Looking["done"] = () => {};
  #ticket: number | undefined;
  /** Updates so far, and how many they were at that of the batch. */
  #updates = 0;
  #updatesThen = 0;

  constructor(...build: ConstructorParameters<typeof LayerWork>) {
    super(...build);
    const [, { layers }, number] = build;
    this.#outputs = layers[number - 1]!.outputs;
  }

  /** At this batch when it comes; another that was asked for before is forgotten. */
  lookAt(batch: number, { clock, done }: Looking): void {
    this.#look = new Look(batch, this.#outputs, clock);
    this.#done = done;
    this.#ticket = undefined;
  }

  override inspect(frame: BatchFrame | CorrectionFrame): void {
    super.inspect(frame);
    if (frame.kind !== "correction" && !isEvaluation(frame)) this.#of(frame.batch)?.at("received");
  }

  override inspectTarget(frame: TargetFrame, rows: number | undefined): void {
    super.inspectTarget(frame, rows);
    const look = this.#of(frame.batch);
    if (!look?.has("sent")) return;
    look.at("answered");
    look.staleness = this.#updates - this.#updatesThen;
  }

  override update(frame: BatchFrame) {
    const look = this.#begin(frame);
    const before = look && copiesOf(this.state().tensors, "layer");
    const computed = super.update(frame);
    this.#updates++;
    if (!look || !before) return computed;
    look.at("updated");
    look.moved(before);
    look.keep("output", computed.output?.values);
    if ("outputGradient" in this.layer) look.keep("guess", this.layer.outputGradient);
    look.lost(computed.loss);
    this.#updatesThen = this.#updates;
    if (!computed.output) this.#end(look);
    return computed;
  }

  override passForward(frame: BatchFrame, ticket: number): Output {
    const look = this.#begin(frame);
    const output = super.passForward(frame, ticket);
    look?.at("computed");
    look?.keep("output", output.values);
    this.#updatesThen = this.#updates;
    return output;
  }

  override passBackward(frame: BatchFrame, ticket: number, target: TargetFrame, learns: boolean) {
    const look = learns ? this.#of(frame.batch) : undefined;
    const before = look && copiesOf(this.state().tensors, "layer");
    const answer = super.passBackward(frame, ticket, target, learns);
    if (learns) this.#updates++;
    if (!look || !before) return answer;
    look.at("updated");
    look.moved(before);
    look.keepTensor("target", target.gradient);
    this.#end(look);
    return answer;
  }

  override forwardFrame(frame: BatchFrame, output: Output) {
    const sent = super.forwardFrame(frame, output);
    if (!isEvaluation(frame)) this.#isSent(frame.batch);
    return sent;
  }

  override correctionFrame(frame: BatchFrame, output: Output) {
    const sent = super.correctionFrame(frame, output);
    this.#isSent(frame.batch);
    return sent;
  }

  override awaits(ticket: number): void {
    super.awaits(ticket);
    const look = this.#look;
    if (look?.has("sent") && this.#ticket === undefined) this.#ticket = ticket;
  }

  override learn(ticket: number, target: TargetFrame) {
    const look = this.#of(target.batch);
    if (!look?.has("answered")) return super.learn(ticket, target);
    const before = copiesOf(this.state().tensors, "generator");
    const health = super.learn(ticket, target);
    look.at("learned");
    look.moved(before);
    look.keepTensor("target", target.gradient);
    this.#end(look);
    return health;
  }

  /** Its successor said nothing that it could learn from. */
  override forget(tickets: readonly number[]): void {
    super.forget(tickets);
    if (this.#look && this.#ticket !== undefined && tickets.includes(this.#ticket)) this.#end(this.#look);
  }

  #of(batch: number): Look | undefined {
    return this.#look?.batch === batch ? this.#look : undefined;
  }

  #begin(frame: BatchFrame): Look | undefined {
    const look = this.#of(frame.batch);
    look?.learns(this.layer.kind, rowsOf(frame));
    look?.at("began");
    if (frame.kind === "activation") look?.keepTensor("input", frame.activation);
    return look;
  }

  /** A local layer needs no answer. */
  #isSent(batch: number): void {
    const look = this.#of(batch);
    look?.at("sent");
    if (look && this.layer.kind === "local") this.#end(look);
  }

  #end(look: Look): void {
    this.#look = undefined;
    this.#done(look);
  }
}
