import { type DeliveryState, need } from "../../shared/delivery/delivery-state.ts";
import { step } from "../../shared/delivery/layer-delivery.ts";
import type { LayerEffect } from "../../shared/delivery/layer-effect.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import { standingOf } from "../../shared/delivery/standing.ts";
import { rowsDue } from "../../shared/delivery/successor-state.ts";
import type { Link } from "../../shared/link/link.ts";
import {
  answeredBy,
  type BackFrame,
  type BatchFrame,
  CloseCode,
  type ForwardFrame,
  type GradientFrame,
  isTarget,
  type SnapshotFrame,
  type Tensor,
  type TestResult,
} from "../../shared/wire/frames.ts";
import type { Meter } from "../worker/meter.ts";
import { Barrier } from "./barrier.ts";
import type { Output } from "./computed.ts";
import { type Frames, itemOf, namedIn, needIn } from "./frame-items.ts";
import type { LayerSurroundings } from "./layer-surroundings.ts";
import type { LayerWork } from "./layer-work.ts";
import { PoisonError } from "./poison-error.ts";
import { Results } from "./results.ts";

type Effect<Kind extends LayerEffect<Frames>["effect"]> = Extract<LayerEffect<Frames>, { effect: Kind }>;

/** Joins delivery, learning and two links: frames become events, effects become work and frames. */
export class LayerService {
  readonly #rules: Rules;
  readonly #work: LayerWork;
  readonly #meter: Meter;
  readonly #around: LayerSurroundings;
  #state: DeliveryState<Frames>;
  #predecessor: Link | undefined;
  #successor: Link | undefined;
  readonly #results = new Results();
  readonly #barrier = new Barrier();
  /** It is stopped, its numbers ran away, or it goes back: it does nothing more. */
  #isOver = false;

  constructor(
    rules: Rules,
    work: LayerWork,
    meter: Meter,
    around: LayerSurroundings,
    state: DeliveryState<Frames>,
  ) {
    this.#rules = rules;
    this.#work = work;
    this.#meter = meter;
    this.#around = around;
    this.#state = state;
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

  /** What still comes changes nothing: what is saved from now on is where it ends. */
  stop(): void {
    this.#isOver = true;
  }

  get test(): TestResult | undefined {
    return this.#results.test;
  }

  get predecessor(): Link | undefined {
    return this.#predecessor;
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
  fromPredecessor(frame: Exclude<ForwardFrame, { kind: "question" }>): void {
    if (frame.kind === "release") return this.#take({ event: "released" });
    if (frame.kind !== "barrier" && frame.kind !== "end") this.#work.inspect(frame);
    this.#take({ event: "heard", item: itemOf(frame, this.#rules.batches) });
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
        return this.#answered(frame);
      case "rewind":
        return this.#take({ event: "rewound", need: needIn(frame, this.#rules.batches) });
      case "snapshot":
        return this.#tell(this.#barrier.heard(frame));
      case "finished":
        this.#results.heard(frame);
        return this.#take({ event: "finished" });
    }
  }

  #answered(frame: GradientFrame): void {
    const item = answeredBy(frame);
    if (!isTarget(frame)) return this.#take({ event: "answered", item });
    this.#work.inspectTarget(frame, rowsDue(this.#state.successor, item.batch));
    this.#take({ event: "answered", item, target: frame });
  }

  #take(event: LayerEvent<Frames>): void {
    if (this.#isOver) return;
    const [state, effects] = step(this.#rules, this.#state, event);
    this.#state = state;
    try {
      for (const effect of effects) this.#carryOut(effect);
      this.#around.stands(standingOf(state));
    } catch (error) {
      if (!(error instanceof PoisonError)) throw error;
      this.#isOver = true;
      this.#around.poisoned(error);
    }
  }

  #carryOut(effect: LayerEffect<Frames>): void {
    // What follows in this step is not done yet.
    if ("at" in effect) this.#around.stands(effect.at);
    switch (effect.effect) {
      case "update":
        return this.#update(effect);
      case "rehearse":
      case "repeat":
        return this.#answerAgain(effect);
      case "checkpoint":
        return this.#around.checkpoint(() => this.#take({ event: "checkpointed" }));
      case "goBack":
        this.#isOver = true;
        return this.#around.goBack(effect.batch);
      case "sendAgain":
        for (const frame of this.#work.sendAgain(effect)) this.#successor?.send(frame);
        return;
      case "preview":
        return this.#successor?.send(this.#work.previewFrame(effect.item.frame));
      case "passForward":
        return this.#sendOn(effect.item.frame, this.#work.passForward(effect.item.frame, effect.ticket));
      case "passBackward":
        return this.#passBackward(effect);
      case "evaluate":
        return this.#evaluate(effect);
      case "acknowledge":
        return this.#acknowledge(effect.item);
      case "snapshot":
        return this.#saveSnapshot(effect);
      case "learn":
        return this.#learn(effect);
      case "correct":
        return void this.#work.correct(effect.item.frame, effect.correction);
      case "forget":
        return this.#work.forget(effect.tickets);
      case "rewind":
        return this.#predecessor?.send({ kind: "rewind", need: effect.need });
      case "end":
        return this.#successor?.send({ kind: "end", batches: this.#rules.batches });
      case "save":
        return this.#around.saveFinal(() => this.#take({ event: "saved" }));
      case "finished":
        return this.#predecessor?.send(this.#results.finished(this.#around.report()));
      case "release":
        return this.#around.released();
      case "hold":
        return this.#around.held();
      case "resume":
        return this.#around.resumed();
      case "hangUp":
        return this.#hangUp(effect);
    }
  }

  #update({ item: { batch, frame }, ticket, learnt }: Effect<"update">): void {
    this.#around.applies(batch, learnt);
    const { answer, output, loss } = this.#work.update(frame);
    this.#answer(batch, answer);
    this.#meter.batch(batch, loss);
    this.#around.applied(batch);
    if (ticket !== undefined) this.#sendOnAwaiting(frame, output, ticket);
  }

  #answerAgain({ effect, item: { frame }, ticket }: Effect<"rehearse" | "repeat">): void {
    const { answer, output } = this.#work[effect](frame);
    this.#answer(frame.batch, answer);
    if (ticket !== undefined) this.#sendOnAwaiting(frame, output, ticket);
  }

  #sendOnAwaiting(frame: BatchFrame, output: Output | undefined, ticket: number): void {
    if (!output) throw new Error(`Cannot pass batch ${frame.batch} on: the head has no output`);
    this.#sendOn(frame, output);
    this.#work.awaits(ticket);
  }

  #sendOn(frame: BatchFrame, output: Output): void {
    const { isUnlocked } = this.#rules;
    this.#successor?.send(
      isUnlocked ? this.#work.correctionFrame(frame, output) : this.#work.forwardFrame(frame, output),
    );
  }

  #passBackward({ item: { batch, frame }, ticket, gradient, learns }: Effect<"passBackward">): void {
    this.#answer(batch, this.#work.passBackward(frame, ticket, gradient, learns));
    if (!learns) return;
    const health = this.#work.mixedHealth;
    if (health) this.#meter.target(health, 1);
    this.#meter.batch(batch);
    this.#around.applied(batch);
  }

  #evaluate({ item }: Effect<"evaluate">): void {
    const { batch, frame } = item;
    const { output, test } = this.#work.evaluate(frame);
    this.#acknowledge(item);
    if (output) this.#successor?.send(this.#work.forwardFrame(frame, output));
    if (!test) return;
    this.#results.judged(batch, test);
    this.#around.evaluated(batch, test);
  }

  #saveSnapshot({ item, isSent }: Effect<"snapshot">): void {
    const { batch, frame } = item;
    this.#acknowledge(item);
    if (isSent) this.#successor?.send(frame);
    const none = { saved: [], ...this.#results.testAt(batch) };
    this.#barrier.begin(frame.snapshot, this.#rules.isHead ? none : undefined);
    this.#around.saveSnapshot(frame, (saved) => this.#tell(this.#barrier.saved(frame.snapshot, saved)));
  }

  #tell(frame: SnapshotFrame | undefined): void {
    if (frame) this.#predecessor?.send(frame);
  }

  #learn({ ticket, target, age }: Effect<"learn">): void {
    if (!target) return this.#work.forget([ticket]);
    const health = this.#work.learn(ticket, target);
    if (health) this.#meter.target(health, age);
  }

  #answer(batch: number, gradient: Tensor | undefined): void {
    this.#predecessor?.send({ kind: "gradient", batch, ...(gradient ? { gradient } : {}) });
  }

  /** Without numbers. */
  #acknowledge(item: Effect<"acknowledge">["item"]): void {
    this.#predecessor?.send({ kind: "gradient", batch: item.batch, ...namedIn(item) });
  }

  #hangUp({ side, why, reason }: Effect<"hangUp">): void {
    const code = why === "window" ? CloseCode.windowExceeded : CloseCode.badFrame;
    (side === "predecessor" ? this.#predecessor : this.#successor)?.close(code, reason);
  }
}
