import type { AnsweredItem } from "../../shared/delivery/items.ts";
import { type LayerEffect, type LayerEvent, step } from "../../shared/delivery/layer-delivery.ts";
import { initialState, type LayerState, need } from "../../shared/delivery/layer-state.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import type { Link } from "../../shared/link/link.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import {
  type ActivationFrame,
  type BackFrame,
  type BarrierFrame,
  type BatchFrame,
  CloseCode,
  type CorrectionFrame,
  type ForwardFrame,
  type GradientFrame,
  type LayerReport,
  type PreviewFrame,
  type SavedLayer,
  type SnapshotFrame,
  type Tensor,
  type TestResult,
} from "../../shared/wire/frames.ts";
import type { Meter } from "../worker/meter.ts";
import { Barrier } from "./barrier.ts";
import { type LayerWork, PoisonError } from "./layer-work.ts";

/** What a layer's service needs done outside: disk, log, and the end of the process. */
export interface LayerSurroundings {
  /** A batch was applied; save now and then. */
  applied(cursor: number): void;
  /** Save the end of the run; calls back when it is durable, and not at all if that fails. */
  saveFinal(onDurable: () => void): void;
  /** Save what is now as this layer's share of the snapshot; calls back when it is durable, and not at all if that fails. */
  saveSnapshot(barrier: BarrierFrame, onDurable: (saved: SavedLayer) => void): void;
  report(): LayerReport;
  evaluated(batch: number, test: TestResult): void;
  held(): void;
  resumed(): void;
  /** Everybody has finished; the release has been passed on if the successor was linked. */
  released(): void;
  /** Its numbers ran away in the middle of something: nothing it holds may be saved, and it does nothing more. */
  poisoned(error: PoisonError): void;
}

type Attached = BatchFrame | CorrectionFrame | GradientFrame | BarrierFrame;

/** Joins delivery, learning and the two links of one layer: frames become events, effects become work and frames. */
export class LayerService {
  readonly #rules: Rules;
  readonly #work: LayerWork;
  readonly #meter: Meter;
  readonly #around: LayerSurroundings;
  #state: LayerState<Attached>;
  #predecessor: Link | undefined;
  #successor: Link | undefined;
  /** Of the layers after this one, as they reported when they finished. */
  #reports: readonly LayerReport[] = [];
  #test: TestResult | undefined;
  /** The batch at which this head judged last. */
  #testedAt = -1;
  readonly #barrier = new Barrier();
  #isPoisoned = false;

  constructor(rules: Rules, work: LayerWork, meter: Meter, around: LayerSurroundings, cursor: number) {
    this.#rules = rules;
    this.#work = work;
    this.#meter = meter;
    this.#around = around;
    this.#state = initialState(cursor);
  }

  /** For a welcome: it must be followed by predecessorUp before anything else happens. */
  get need(): number {
    return need(this.#state);
  }

  get standing(): "waiting" | "holding" | "paused" | "training" {
    if (this.#state.paused) return "paused";
    if (this.#state.holding) return "holding";
    return this.#state.predecessor === "away" ? "waiting" : "training";
  }

  /** Unanswered items towards the successor; undefined while it is away. */
  get inFlight(): number | undefined {
    const { successor } = this.#state;
    return successor.phase === "linked" ? successor.inFlight.length : undefined;
  }

  /** Deals with nothing from the predecessor until told to go on; links stay, and answers are heard. */
  pause(isPaused: boolean): void {
    this.#take({ event: isPaused ? "paused" : "unpaused" });
  }

  get test(): TestResult | undefined {
    return this.#test;
  }

  get successor(): Link | undefined {
    return this.#successor;
  }

  predecessorUp(link: Link): void {
    this.#predecessor = link;
    this.#take({ event: "predecessorLinked" });
  }

  predecessorDown(link: Link): void {
    if (this.#predecessor !== link) return;
    this.#predecessor = undefined;
    this.#take({ event: "predecessorLost" });
  }

  /** Throws a FrameError at a frame that this layer cannot take; nothing has changed then. */
  fromPredecessor(frame: ForwardFrame): void {
    switch (frame.kind) {
      case "activation":
      case "preview":
      case "correction":
        this.#work.inspect(frame);
        return this.#take({ event: "heard", item: itemOf(frame, this.#rules.batches) });
      case "barrier": {
        const { batch } = frame;
        if (batch >= this.#rules.batches)
          throw new FrameError(`Cannot stop at batch ${batch}: the run has ${this.#rules.batches}`);
        return this.#take({ event: "heard", item: { kind: "barrier", batch, frame } });
      }
      case "end":
        if (frame.batches !== this.#rules.batches)
          throw new FrameError(`end is at ${frame.batches} batches, this run has ${this.#rules.batches}`);
        return this.#take({ event: "heard", item: { kind: "end" } });
      case "release":
        return this.#take({ event: "released" });
    }
  }

  successorUp(link: Link, needed: number): void {
    this.#successor = link;
    this.#take({ event: "successorLinked", need: needed });
  }

  successorDown(link: Link): void {
    if (this.#successor !== link) return;
    this.#successor = undefined;
    this.#take({ event: "successorLost" });
  }

  /** Throws a FrameError at a frame that this layer cannot take; nothing has changed then. */
  fromSuccessor(frame: BackFrame): void {
    switch (frame.kind) {
      case "gradient":
        this.#work.inspectTarget(frame, this.#rowsUnderWay(frame.batch));
        return this.#take({
          event: "answered",
          batch: frame.batch,
          ...(frame.gradient ? { target: frame } : {}),
        });
      case "rewind":
        if (frame.need > this.#rules.batches)
          throw new FrameError(`Cannot rewind to batch ${frame.need}: the run has ${this.#rules.batches}`);
        return this.#take({ event: "rewound", need: frame.need });
      case "snapshot":
        return this.#tell(this.#barrier.heard(frame));
      case "finished":
        this.#reports = frame.reports;
        this.#test = frame.test;
        return this.#take({ event: "finished" });
    }
  }

  /** Of the batch that waits for its gradient, if it is this one. */
  #rowsUnderWay(batch: number): number | undefined {
    const { working } = this.#state;
    return working?.batch === batch ? activationOf(working.frame).activation.shape[0] : undefined;
  }

  #take(event: LayerEvent<Attached>): void {
    if (this.#isPoisoned) return;
    const [state, effects] = step(this.#rules, this.#state, event);
    this.#state = state;
    try {
      for (const effect of effects) this.#carryOut(effect);
    } catch (error) {
      if (!(error instanceof PoisonError)) throw error;
      this.#isPoisoned = true;
      this.#around.poisoned(error);
    }
  }

  #carryOut(effect: LayerEffect<Attached>): void {
    switch (effect.effect) {
      case "update":
        return this.#update(batchOf(effect.item.frame));
      case "rehearse": {
        const frame = batchOf(effect.item.frame);
        return this.#answer(frame.batch, this.#work.rehearse(frame));
      }
      case "passForward":
        return this.#work.passForward(activationOf(effect.item.frame));
      case "passBackward":
        return this.#passBackward(effect);
      case "evaluate":
        return this.#evaluate(activationOf(effect.item.frame));
      case "acknowledge":
        return this.#answer(effect.item.batch, undefined);
      case "snapshot":
        return this.#saveSnapshot(barrierOf(effect.item.frame));
      case "preview":
        this.#successor?.send(this.#work.previewFrame(batchOf(effect.item.frame)));
        return;
      case "forward":
        return this.#forward(effect);
      case "learn":
        return this.#learn(effect);
      case "correct":
        this.#work.correct(previewOf(effect.item.frame), correctionOf(effect.correction));
        return;
      case "forget":
        return this.#work.forget(effect.tickets);
      case "rewind":
        this.#predecessor?.send({ kind: "rewind", need: effect.need });
        return;
      case "end":
        this.#successor?.send({ kind: "end", batches: this.#rules.batches });
        return;
      case "save":
        return this.#around.saveFinal(() => this.#take({ event: "saved" }));
      case "finished":
        return this.#finish();
      case "release":
        this.#successor?.send({ kind: "release" });
        return this.#around.released();
      case "hold":
        return this.#around.held();
      case "resume":
        return this.#around.resumed();
      case "hangUp":
        return this.#hangUp(effect);
    }
  }

  #update(frame: BatchFrame): void {
    const { answer, loss } = this.#work.update(frame);
    this.#answer(frame.batch, answer);
    this.#meter.batch(frame.batch, loss);
    this.#around.applied(frame.batch);
  }

  #passBackward({ item, gradient, learns }: LayerEffect<Attached> & { effect: "passBackward" }): void {
    const frame = activationOf(item.frame);
    this.#answer(frame.batch, this.#work.passBackward(frame, tensorOf(gradient), learns));
    if (!learns) return;
    const health = this.#work.mixedHealth;
    if (health) this.#meter.target(health, 1);
    this.#meter.batch(frame.batch);
    this.#around.applied(frame.batch);
  }

  #evaluate(frame: ActivationFrame): void {
    const test = this.#work.evaluate(frame);
    this.#answer(frame.batch, undefined);
    if (!test) return;
    this.#test = test;
    this.#testedAt = frame.batch;
    this.#around.evaluated(frame.batch, test);
  }

  #saveSnapshot(frame: BarrierFrame): void {
    const test = this.#testedAt === frame.batch ? this.#test : undefined;
    const nobody = { saved: [], ...(test ? { test } : {}) };
    this.#barrier.begin(frame.snapshot, this.#rules.isHead ? nobody : undefined);
    this.#around.saveSnapshot(frame, (saved) => this.#tell(this.#barrier.saved(frame.snapshot, saved)));
  }

  #tell(frame: SnapshotFrame | undefined): void {
    if (frame) this.#predecessor?.send(frame);
  }

  #learn({ batch, ticket, target, age }: LayerEffect<Attached> & { effect: "learn" }): void {
    const health = this.#work.learn(ticket, tensorOf(target), batch);
    if (health) this.#meter.target(health, age);
  }

  #forward({ item, ticket }: LayerEffect<Attached> & { effect: "forward" }): void {
    this.#successor?.send(this.#forwarded(item));
    if (item.kind === "batch") this.#work.keep(ticket);
  }

  #forwarded({ kind, frame }: AnsweredItem<Attached>): ForwardFrame {
    if (kind === "barrier") return barrierOf(frame);
    const isShown = kind === "batch" && this.#rules.isUnlocked;
    return isShown
      ? this.#work.correctionFrame(batchOf(frame))
      : this.#work.forwardFrame(activationOf(frame));
  }

  #answer(batch: number, gradient: Tensor | undefined): void {
    this.#predecessor?.send({ kind: "gradient", batch, ...(gradient ? { gradient } : {}) });
  }

  #finish(): void {
    const reports = [this.#around.report(), ...this.#reports];
    this.#predecessor?.send({ kind: "finished", reports, ...(this.#test ? { test: this.#test } : {}) });
  }

  #hangUp({ side, why, reason }: LayerEffect<Attached> & { effect: "hangUp" }): void {
    const code = why === "window" ? CloseCode.windowExceeded : CloseCode.badFrame;
    (side === "predecessor" ? this.#predecessor : this.#successor)?.close(code, reason);
  }
}

function itemOf(frame: BatchFrame | CorrectionFrame, batches: number) {
  const { batch } = frame;
  const evaluation = frame.kind === "activation" ? frame.evaluation : undefined;
  if (batch > batches || (batch === batches && !evaluation))
    throw new FrameError(`Cannot take batch ${batch}: the run has ${batches}`);
  if (frame.kind === "correction") return { kind: "correction", batch, frame } as const;
  return evaluation
    ? ({ kind: "evaluation", batch, ...evaluation, frame } as const)
    : ({ kind: "batch", batch, frame } as const);
}

function batchOf(frame: Attached): BatchFrame {
  return frame.kind === "preview" ? frame : activationOf(frame);
}

function previewOf(frame: Attached): PreviewFrame {
  if (frame.kind !== "preview") throw new TypeError(`Cannot correct a guess of a ${frame.kind}`);
  return frame;
}

function correctionOf(frame: Attached): CorrectionFrame {
  if (frame.kind !== "correction") throw new TypeError(`Cannot correct a guess by a ${frame.kind}`);
  return frame;
}

function activationOf(frame: Attached): ActivationFrame {
  if (frame.kind !== "activation") throw new TypeError(`Cannot work on a ${frame.kind} as on an activation`);
  return frame;
}

function barrierOf(frame: Attached): BarrierFrame {
  if (frame.kind !== "barrier") throw new TypeError(`Cannot save at a ${frame.kind}`);
  return frame;
}

function tensorOf(frame: Attached): Tensor {
  if (frame.kind !== "gradient" || !frame.gradient)
    throw new TypeError("Cannot learn from a frame without gradient");
  return frame.gradient;
}
