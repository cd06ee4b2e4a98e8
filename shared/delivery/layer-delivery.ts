import { applied } from "./applied.ts";
import { type DeliveryState, need } from "./delivery-state.ts";
import { canFeed, nextToFeed } from "./feeding.ts";
import { isAnswered, isCorrectionDue, withoutEnd } from "./inbox.ts";
import type { BarrierItem, BatchItem, CorrectionItem, EvaluationItem, Item, Payloads } from "./items.ts";
import type { HangUp, LayerEffect } from "./layer-effect.ts";
import type { LayerEvent } from "./layer-event.ts";
import { firstNeeded, hasLearntAll } from "./pinned.ts";
import type { Rules } from "./rules.ts";
import { standingOf } from "./standing.ts";
import type { Answered, BatchInFlight, InFlight } from "./successor-state.ts";
import { misfitOf, ticketsInFlight, withSent } from "./successor-state.ts";
import { hearTarget, learnDue, learnEarly, type Mutable } from "./targets.ts";
import { isForwarded, judge, type Verdict } from "./verdict.ts";
import { abandon, reached, settle, withAnswer } from "./working.ts";

/**
 * What a layer does with what it hears: a reducer without socket, clock or disk. `step(rules, state, event)` gives
 * the next state and the effects to carry out, in order. The real process and the simulator run this same code.
 *
 *   b = cursor + 1 : learnt, answered with its gradient, and forwarded
 *   b ≤ cursor     : already learnt; answered as before if that is kept, else with the gradient at present weights;
 *                    forwarded if the successor lacks it
 *   b > cursor + 1 : a gap; answered without numbers, and a rewind is asked for once
 *
 * Every item is answered exactly once, in order, or its link dies: so the window bounds both directions of a link.
 */
export function step<P extends Payloads>(
  rules: Rules,
  state: DeliveryState<P>,
  event: LayerEvent<P>,
): [DeliveryState<P>, LayerEffect<P>[]] {
  const turn = new Turn(rules, state);
  turn.take(event);
  return [turn.state, turn.effects];
}

/** One step under way: a copy of the state that may be written, and the effects so far. */
class Turn<P extends Payloads> {
  readonly rules: Rules;
  readonly state: Mutable<DeliveryState<P>>;
  readonly effects: LayerEffect<P>[] = [];

  constructor(rules: Rules, state: DeliveryState<P>) {
    this.rules = rules;
    this.state = { ...state };
  }

  take(event: LayerEvent<P>): void {
    switch (event.event) {
      case "predecessorLinked":
        this.state.predecessor = "linked";
        this.state.rewinding = 0;
        return;
      case "predecessorLost":
        return this.losePredecessor();
      case "heard":
        return this.hear(event.item);
      case "successorLinked":
        this.loseSuccessor();
        return this.followNeed(firstNeeded(this.rules, this.state, event.need), []);
      case "successorLost":
        this.loseSuccessor();
        return this.work();
      case "rewound":
        if (this.state.successor.phase === "linked") {
          const { inFlight, need } = this.state.successor;
          this.followNeed(Math.min(need, event.need), inFlight);
        }
        return;
      case "answered":
        return this.hearAnswer(event.item, event.target);
      case "finished":
        // A former life of this layer was at the end; this one is not there yet, and will hear it again.
        if (hasLearntAll(this.rules, this.state))
          this.effects.push({ effect: "save", at: standingOf(this.state) });
        return;
      case "checkpointed":
        this.state.isSaving = false;
        return this.work();
      case "saved":
        this.state.durable = this.state.cursor;
        if (this.state.predecessor === "linked") this.effects.push({ effect: "finished" });
        return;
      case "released":
        return this.leave();
      case "paused":
      case "unpaused":
        this.state.paused = event.event === "paused";
        return this.work();
    }
  }

  /** What it had sent and was not answered will be sent again over the next link. */
  private losePredecessor(): void {
    this.state.predecessor = "away";
    this.state.inbox = [];
    this.forget(this.state.working.map(({ ticket }) => ticket));
    this.state.working = [];
    this.state.guessed = undefined;
    this.state.rewinding = 0;
    this.rest(false);
  }

  private hear(item: Item<P>): void {
    const { inbox, guessed, working } = this.state;
    if (item.kind === "correction" && !isCorrectionDue(inbox, guessed, item.batch)) return;
    const unanswered = inbox.filter(isAnswered).length + working.length;
    if (isAnswered(item) && unanswered >= this.rules.window) {
      const reason = `more than ${this.rules.window} unanswered activations`;
      return this.hangUp("predecessor", "window", reason);
    }
    this.state.inbox = [...(item.kind === "end" ? withoutEnd(inbox) : inbox), item];
    this.work();
  }

  private loseSuccessor(): void {
    const { successor, working } = this.state;
    if (successor.phase === "away") return;
    this.forget([...new Set([...working.map(({ ticket }) => ticket), ...ticketsInFlight(successor)])]);
    this.state.successor = { phase: "away" };
    this.state.inbox = [...working.map(({ item }) => item), ...this.state.inbox];
    this.state.working = [];
  }

  private forget(tickets: readonly number[]): void {
    if (tickets.length > 0) this.effects.push({ effect: "forget", tickets });
  }

  /** The successor lacks everything from `needed` on. Need = batches goes to the source too: the end was lost. */
  private followNeed(needed: number, inFlight: readonly InFlight[]): void {
    const isFed = canFeed(this.rules, this.state, needed);
    this.state.successor = { phase: "linked", need: needed, isFed, inFlight };
    if (!isFed && (needed <= reached(this.state) || needed >= this.rules.batches)) {
      this.follow(abandon(this.rules, this.state, needed));
      this.askRewind(needed);
    }
    this.work();
  }

  private askRewind(needed: number): void {
    this.state.inbox = withoutEnd(this.state.inbox);
    if (this.state.predecessor === "away") return;
    this.state.rewinding = this.rules.window;
    this.effects.push({ effect: "rewind", need: needed });
  }

  /** Answers come in the order of sending; anything else is a neighbour that lost count. */
  private hearAnswer(item: Answered, target: P["target"] | undefined): void {
    const { successor } = this.state;
    if (successor.phase === "away") return;
    const [sent, ...rest] = successor.inFlight;
    const misfit = misfitOf(item, sent);
    if (misfit !== undefined) return this.hangUp("successor", "answer", misfit);
    this.state.successor = { ...successor, inFlight: rest };
    if (sent?.kind === "batch") this.useAnswer(sent, target);
    this.work();
  }

  private useAnswer(sent: BatchInFlight, target: P["target"] | undefined): void {
    this.state.working = withAnswer(this.state.working, sent.ticket, target);
    if (!this.rules.isLocked) hearTarget(this, { ...sent, target });
  }

  /** What can be done whatever comes in. */
  private settle(): void {
    this.follow(settle(this.rules, this.state));
    for (let batch = nextToFeed(this.rules, this.state); batch !== undefined; ) {
      this.effects.push({ effect: "sendAgain", batch, ticket: this.sendBatch({ batch, rows: undefined }) });
      batch = nextToFeed(this.rules, this.state);
    }
  }

  private follow([state, effects]: [DeliveryState<P>, LayerEffect<P>[]]): void {
    Object.assign(this.state, state);
    this.effects.push(...effects);
  }

  /** Deals with the inbox until it is empty or its first item has to wait. */
  private work(): void {
    this.settle();
    if (this.state.paused) return;
    while (this.state.inbox.length > 0) {
      const [item, ...rest] = this.state.inbox as [Item<P>, ...Item<P>[]];
      const verdict = judge(this.rules, this.state, item);
      if (verdict === "wait") break;
      if (verdict === "goBack" && item.kind === "batch")
        return void this.effects.push({ effect: verdict, batch: item.batch });
      this.state.inbox = rest;
      this.carryOut(item, verdict);
      this.settle();
    }
    this.rest(this.state.inbox.length > 0 && !this.rules.isHead && this.state.successor.phase === "away");
  }

  private rest(holding: boolean): void {
    if (holding === this.state.holding) return;
    this.state.holding = holding;
    this.effects.push({ effect: holding ? "hold" : "resume" });
  }

  private carryOut(item: Item<P>, verdict: Exclude<Verdict, "wait">): void {
    if (item.kind === "correction") return this.correct(item);
    if (verdict === "gap") this.meetGap();
    if (verdict === "gap" || verdict === "shed") return this.shed(item, verdict);
    this.state.rewinding = 0;
    if (item.kind === "end") return this.carryOutEnd();
    if (item.kind === "evaluation") return this.carryOutEvaluation(item);
    if (item.kind === "barrier") return this.carryOutBarrier(item);
    if (this.rules.isLocked && !this.rules.isHead && verdict !== "repeat") return this.passForward(item);
    const isSent = isForwarded(this.rules, this.state, item.batch, verdict);
    if (isSent && this.rules.isUnlocked) this.effects.push({ effect: "preview", item });
    const ticket = isSent ? this.sendBatch(item) : undefined;
    if (verdict === "apply") return this.apply(item, ticket);
    if (verdict !== "goBack") this.effects.push({ effect: verdict, item, ticket });
    // The correction behind it was lost with a link.
    if (item.batch > this.state.corrected) this.state.guessed = item;
  }

  private meetGap(): void {
    if (this.state.rewinding > 0) this.state.rewinding -= 1;
    else this.askRewind(need(this.state));
  }

  /** Answered, not learnt: it comes again, since a rewind to below it is under way. */
  private shed(item: Exclude<Item<P>, CorrectionItem<P>>, why: "gap" | "shed"): void {
    if (item.kind === "batch" && why === "shed") this.state.rewinding = this.rules.window;
    if (item.kind !== "end") this.effects.push({ effect: "acknowledge", item });
  }

  private apply(item: BatchItem<P>, ticket: number | undefined): void {
    learnDue(this, item.batch);
    this.effects.push({ effect: "update", item, ticket, learnt: this.state.learnt });
    this.state.sinceTarget += 1;
    if (this.rules.isUnlocked) this.state.guessed = item;
    this.follow(applied(this.rules, this.state, item.batch));
  }

  /** At most once for each batch in the weights: one that was shed, or learnt before, has nothing to correct. */
  private correct({ batch, frame }: CorrectionItem<P>): void {
    const { guessed } = this.state;
    if (guessed?.batch !== batch) return;
    this.state.guessed = undefined;
    this.state.corrected = batch;
    this.effects.push({ effect: "correct", item: guessed, correction: frame });
  }

  private passForward(item: BatchItem<P>): void {
    const ticket = this.sendBatch(item);
    this.effects.push({ effect: "passForward", item, ticket });
    this.state.working = [...this.state.working, { item, ticket }];
  }

  /** Its ticket. */
  private sendBatch({ batch, rows }: Pick<BatchInFlight, "batch" | "rows">): number {
    const ticket = this.state.nextTicket;
    this.state.nextTicket += 1;
    this.send({ kind: "batch", batch, rows, ticket });
    return ticket;
  }

  private send(item: InFlight): void {
    this.state.successor = withSent(this.state.successor, item);
  }

  private carryOutEvaluation(item: EvaluationItem<P>): void {
    const { kind, batch, part, parts } = item;
    const isSent = !this.rules.isHead;
    this.effects.push({ effect: "evaluate", item, isSent });
    this.state.evaluation = { batch, heard: part + 1, complete: part === parts - 1 };
    if (isSent) this.send({ kind, batch, part });
  }

  /** As at the end, nothing that was heard stays unlearnt: what is saved is all there is. */
  private carryOutBarrier(item: BarrierItem<P>): void {
    learnEarly(this, Number.POSITIVE_INFINITY);
    const { kind, batch } = item;
    const isSent = !this.rules.isHead;
    if (isSent) this.send({ kind, batch });
    this.effects.push({ effect: "snapshot", item, isSent, at: standingOf(this.state) });
  }

  /** A layer that has not saved the end would leave the run with less than it has learnt. */
  private leave(): void {
    const last = this.rules.batches - 1;
    const { durable } = this.state;
    if (durable === last) this.effects.push({ effect: "release" });
    else this.hangUp("predecessor", "release", `release at batch ${durable}, expected after ${last}`);
  }

  private hangUp(side: "predecessor" | "successor", why: HangUp["why"], reason: string): void {
    this.effects.push({ effect: "hangUp", side, why, reason });
  }

  private carryOutEnd(): void {
    learnEarly(this, Number.POSITIVE_INFINITY);
    const at = standingOf(this.state);
    this.effects.push(this.rules.isHead ? { effect: "save", at } : { effect: "end" });
  }
}
