import type {
  BatchFrame,
  CorrectionFrame,
  EvaluationFrame,
  TargetFrame,
} from "../../../shared/wire/frames.ts";
import { WatchedWork } from "../look/watched-work.ts";
import type { Tracer } from "./tracer.ts";

/** The learning side, and when it did what. */
export class TracedWork extends WatchedWork {
  readonly #tracer: Tracer;

  constructor(build: ConstructorParameters<typeof WatchedWork>, tracer: Tracer) {
    super(...build);
    this.#tracer = tracer;
  }

  override update(frame: BatchFrame) {
    return this.#tracer.span("update", frame.batch, () => super.update(frame));
  }

  override rehearse(frame: BatchFrame) {
    return this.#tracer.span("rehearse", frame.batch, () => super.rehearse(frame));
  }

  override repeat(frame: BatchFrame) {
    return this.#tracer.span("repeat", frame.batch, () => super.repeat(frame));
  }

  override passForward(frame: BatchFrame, ticket: number) {
    return this.#tracer.span("forward", frame.batch, () => super.passForward(frame, ticket));
  }

  override passBackward(frame: BatchFrame, ticket: number, target: TargetFrame, learns: boolean) {
    const name = learns ? "backward and update" : "backward";
    return this.#tracer.span(name, frame.batch, () => super.passBackward(frame, ticket, target, learns));
  }

  override evaluate(frame: EvaluationFrame) {
    return this.#tracer.span("evaluate", frame.batch, () => super.evaluate(frame));
  }

  override learn(ticket: number, target: TargetFrame) {
    return this.#tracer.span("learn to guess", target.batch, () => super.learn(ticket, target));
  }

  override correct(shown: BatchFrame, correction: CorrectionFrame) {
    return this.#tracer.span("learn to guess inputs", shown.batch, () => super.correct(shown, correction));
  }
}
