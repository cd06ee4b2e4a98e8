import type {
  AnsweredItem,
  BarrierItem,
  BatchItem,
  CorrectionItem,
  EvaluationItem,
  InFlight,
  Item,
} from "./items.ts";
import { type LayerState, need } from "./layer-state.ts";
import type { Rules } from "./rules.ts";
import { isForwarded, judge, type Verdict } from "./verdict.ts";

/**
 * What a layer does with what it hears: a reducer without socket, clock or disk. `step(rules, state, event)` gives the
 * next state and the effects to carry out, in order. The real process and the simulator run this same code.
 *
 *   b = cursor + 1 : learnt, answered with its gradient, and forwarded
 *   b ≤ cursor     : already learnt; answered with the gradient at present weights, forwarded if the successor lacks it
 *   b > cursor + 1 : a gap; answered without numbers, and a rewind is asked for once
 *
 * Every item is answered exactly once, in order, or its link dies. So both directions of a link are bounded by its window.
 */
export function step<F>(
  rules: Rules,
  state: LayerState<F>,
  event: LayerEvent<F>,
): [LayerState<F>, LayerEffect<F>[]] {
  const turn = new Turn(rules, state);
  turn.take(event);
  return [turn.state, turn.effects];
}

export type LayerEvent<F> =
  | { readonly event: "predecessorLinked" }
  | { readonly event: "predecessorLost" }
  | { readonly event: "heard"; readonly item: Item<F> }
  | { readonly event: "released" }
  | { readonly event: "successorLinked"; readonly need: number }
  | { readonly event: "successorLost" }
  /** `target` is absent where the answer only acknowledges. */
  | { readonly event: "answered"; readonly batch: number; readonly target?: F }
  | { readonly event: "rewound"; readonly need: number }
  | { readonly event: "finished" }
  /** The checkpoint of the effect "save" is durable. */
  | { readonly event: "saved" }
  | { readonly event: "paused" }
  | { readonly event: "unpaused" };

export type LayerEffect<F> =
  /** Learn this batch and answer with its input gradient. */
  | { readonly effect: "update"; readonly item: BatchItem<F> }
  /** Answer with the input gradient at present weights; change nothing. */
  | { readonly effect: "rehearse"; readonly item: BatchItem<F> }
  /** Locked: compute the output, answer later. */
  | { readonly effect: "passForward"; readonly item: BatchItem<F> }
  /** Locked: backpropagate and answer; change the weights only where `learns`. */
  | {
      readonly effect: "passBackward";
      readonly item: BatchItem<F>;
      readonly gradient: F;
      readonly learns: boolean;
    }
  /** Compute the output with running statistics (head: judge it) and answer without numbers. */
  | { readonly effect: "evaluate"; readonly item: EvaluationItem<F>; readonly last: boolean }
  /** Answer without numbers. */
  | { readonly effect: "acknowledge"; readonly item: AnsweredItem<F> }
  /** Save this very state, now: the network's snapshot is made of it. */
  | { readonly effect: "snapshot"; readonly item: BarrierItem<F> }
  /** Unlocked: show the successor this batch, before anything is computed of it. */
  | { readonly effect: "preview"; readonly item: BatchItem<F> }
  /**
   * Send the output that the effect before computed (unlocked: as the correction of what was shown), and keep its evidence
   * under `ticket` (batches only).
   */
  | {
      readonly effect: "forward";
      readonly item: AnsweredItem<F>;
      readonly ticket: number;
    }
  /** The generator learns; `age` is in batches, 1 where the target was heard before the next batch was applied. */
  | {
      readonly effect: "learn";
      readonly batch: number;
      readonly ticket: number;
      readonly target: F;
      readonly age: number;
    }
  /** Unlocked: the generator of inputs learns what the input of this batch came to. */
  | { readonly effect: "correct"; readonly item: BatchItem<F>; readonly correction: F }
  /** These answers will never come: free their evidence. */
  | { readonly effect: "forget"; readonly tickets: readonly number[] }
  | { readonly effect: "rewind"; readonly need: number }
  | { readonly effect: "end" }
  | { readonly effect: "save" }
  | { readonly effect: "finished" }
  | { readonly effect: "release" }
  | { readonly effect: "hold" }
  | { readonly effect: "resume" }
  /** The neighbour broke the protocol: hang up with this reason. */
  | {
      readonly effect: "hangUp";
      readonly side: "predecessor" | "successor";
      readonly why: "window" | "answer";
      readonly reason: string;
    };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One step under way: a copy of the state that may be written, and the effects so far. */
class Turn<F> {
  readonly rules: Rules;
  readonly state: Mutable<LayerState<F>>;
  readonly effects: LayerEffect<F>[] = [];

  constructor(rules: Rules, state: LayerState<F>) {
    this.rules = rules;
    this.state = { ...state };
  }

  take(event: LayerEvent<F>): void {
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
        return this.followNeed(event.need, []);
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
        return this.hearAnswer(event.batch, event.target);
      case "finished":
        // Of a run that this layer's former life had brought to its end: this one is not there yet, and will hear it again.
        if (this.state.cursor === this.rules.batches - 1) this.effects.push({ effect: "save" });
        return;
      case "saved":
        if (this.state.predecessor === "linked") this.effects.push({ effect: "finished" });
        return;
      case "released":
        this.effects.push({ effect: "release" });
        return;
      case "paused":
        this.state.paused = true;
        return;
      case "unpaused":
        this.state.paused = false;
        return this.work();
    }
  }

  /** What it had sent and was not answered will be sent again over the next link. */
  private losePredecessor(): void {
    this.state.predecessor = "away";
    this.state.inbox = [];
    this.state.working = undefined;
    this.state.guessed = undefined;
    this.state.rewinding = 0;
    this.rest(false);
  }

  private hear(item: Item<F>): void {
    if (item.kind === "correction" && !this.isAwaited(item)) return;
    const unanswered = this.state.inbox.filter(isAnswered).length + (this.state.working ? 1 : 0);
    if (isAnswered(item) && unanswered >= this.rules.window) {
      const reason = `more than ${this.rules.window} unanswered activations`;
      this.effects.push({ effect: "hangUp", side: "predecessor", why: "window", reason });
      return;
    }
    if (item.kind === "end") this.dropEnd();
    this.state.inbox = [...this.state.inbox, item];
    this.work();
  }

  /** A correction comes directly after its batch, or means nothing: so no more of them wait than batches do. */
  private isAwaited({ batch }: CorrectionItem<F>): boolean {
    const last = this.state.inbox.at(-1) ?? this.state.guessed;
    return last?.kind === "batch" && last.batch === batch;
  }

  private dropEnd(): void {
    this.state.inbox = this.state.inbox.filter((item) => item.kind !== "end");
  }

  private loseSuccessor(): void {
    const { successor, working } = this.state;
    if (successor.phase === "away") return;
    const tickets = successor.inFlight.filter((sent) => sent.kind === "batch").map((sent) => sent.ticket);
    if (tickets.length > 0) this.effects.push({ effect: "forget", tickets });
    this.state.successor = { phase: "away" };
    if (working) this.state.inbox = [working, ...this.state.inbox];
    this.state.working = undefined;
  }

  /** The successor lacks everything from `needed` on. At the end of the run even need = batches goes to the source: the end was lost. */
  private followNeed(needed: number, inFlight: readonly InFlight[]): void {
    this.state.successor = { phase: "linked", need: needed, inFlight };
    const sent = Math.max(this.state.cursor, this.state.working?.batch ?? -1);
    if (needed <= sent || needed >= this.rules.batches) this.askRewind(needed);
    this.work();
  }

  private askRewind(needed: number): void {
    this.dropEnd();
    if (this.state.predecessor === "away") return;
    this.state.rewinding = this.rules.window;
    this.effects.push({ effect: "rewind", need: needed });
  }

  /** Answers come in the order of sending; anything else is a neighbour that lost count. */
  private hearAnswer(batch: number, target: F | undefined): void {
    const { successor } = this.state;
    if (successor.phase === "away") return;
    const [sent, ...rest] = successor.inFlight;
    if (sent?.batch !== batch) {
      const reason = `answer is for batch ${batch}, expected ${sent ? sent.batch : "none"}`;
      this.effects.push({ effect: "hangUp", side: "successor", why: "answer", reason });
      return;
    }
    this.state.successor = { ...successor, inFlight: rest };
    if (sent.kind === "batch") this.useAnswer(sent, target);
    this.work();
  }

  private useAnswer(sent: InFlight, target: F | undefined): void {
    if (this.rules.isLocked) return this.finishWorking(target);
    if (target === undefined) {
      this.effects.push({ effect: "forget", tickets: [sent.ticket] });
      return;
    }
    this.state.sinceTarget = 0;
    const { batch, ticket } = sent;
    if (this.isDue(batch, this.state.cursor + 1)) this.learn(batch, ticket, target);
    else this.keepEarly(batch, ticket, target);
  }

  /** A batch sent twice is learnt from once: else every rewind would add to what is kept. */
  private keepEarly(batch: number, ticket: number, target: F): void {
    const twins = this.state.early.filter((other) => other.batch === batch);
    if (twins.length > 0) this.effects.push({ effect: "forget", tickets: twins.map((twin) => twin.ticket) });
    const others = this.state.early.filter((other) => other.batch !== batch);
    this.state.early = [...others, { batch, ticket, target }];
  }

  private finishWorking(gradient: F | undefined): void {
    const item = this.state.working;
    if (!item) return;
    this.state.working = undefined;
    if (gradient === undefined) return this.shed(item, "shed");
    const learns = item.batch === this.state.cursor + 1;
    if (learns) this.state.cursor = item.batch;
    this.effects.push({ effect: "passBackward", item, gradient, learns });
  }

  private isDue(batch: number, next: number): boolean {
    return this.rules.staleness === undefined || batch + this.rules.staleness <= next;
  }

  private learn(batch: number, ticket: number, target: F): void {
    const age = this.state.cursor + 1 - batch;
    this.effects.push({ effect: "learn", batch, ticket, target, age });
  }

  private learnEarly(next: number): void {
    for (const { batch, ticket, target } of this.state.early)
      if (this.isDue(batch, next)) this.learn(batch, ticket, target);
    this.state.early = this.state.early.filter(({ batch }) => !this.isDue(batch, next));
  }

  /** Deals with the inbox until it is empty or its first item has to wait. */
  private work(): void {
    if (this.state.paused) return;
    while (this.state.inbox.length > 0 && !this.state.working) {
      const [item, ...rest] = this.state.inbox as [Item<F>, ...Item<F>[]];
      const verdict = judge(this.rules, this.state, item);
      if (verdict === "wait") break;
      this.state.inbox = rest;
      this.carryOut(item, verdict);
    }
    this.rest(this.state.inbox.length > 0 && !this.rules.isHead && this.state.successor.phase === "away");
  }

  private rest(holding: boolean): void {
    if (holding === this.state.holding) return;
    this.state.holding = holding;
    this.effects.push({ effect: holding ? "hold" : "resume" });
  }

  private carryOut(item: Item<F>, verdict: Exclude<Verdict, "wait">): void {
    if (item.kind === "correction") return this.correct(item);
    if (verdict === "gap") this.meetGap();
    if (verdict === "gap" || verdict === "shed") return this.shed(item, verdict);
    this.state.rewinding = 0;
    if (item.kind === "end") return this.carryOutEnd();
    if (item.kind === "evaluation") return this.carryOutEvaluation(item);
    if (item.kind === "barrier") return this.carryOutBarrier(item);
    if (this.rules.isLocked && !this.rules.isHead) return this.passForward(item);
    const isSent = isForwarded(this.rules, this.state, item.batch, verdict);
    if (isSent && this.rules.isUnlocked) this.effects.push({ effect: "preview", item });
    if (verdict === "rehearse") this.effects.push({ effect: "rehearse", item });
    else this.apply(item);
    if (isSent) this.forward(item);
  }

  private meetGap(): void {
    if (this.state.rewinding > 0) this.state.rewinding -= 1;
    else this.askRewind(need(this.state));
  }

  /** Answered, not learnt: it comes again, since a rewind to below it is under way. */
  private shed(item: Exclude<Item<F>, CorrectionItem<F>>, why: "gap" | "shed"): void {
    if (item.kind === "batch" && why === "shed") this.state.rewinding = this.rules.window;
    if (item.kind !== "end") this.effects.push({ effect: "acknowledge", item });
  }

  private apply(item: BatchItem<F>): void {
    this.learnEarly(item.batch);
    this.effects.push({ effect: "update", item });
    this.state.cursor = item.batch;
    this.state.sinceTarget += 1;
    if (this.rules.isUnlocked) this.state.guessed = item;
  }

  /** At most once for each batch in the weights: one that was shed, or learnt before, has nothing to correct. */
  private correct({ batch, frame }: CorrectionItem<F>): void {
    const { guessed } = this.state;
    if (guessed?.batch !== batch) return;
    this.state.guessed = undefined;
    this.effects.push({ effect: "correct", item: guessed, correction: frame });
  }

  private passForward(item: BatchItem<F>): void {
    this.effects.push({ effect: "passForward", item });
    this.forward(item);
    this.state.working = item;
  }

  private forward(item: AnsweredItem<F>): void {
    const { successor, nextTicket: ticket } = this.state;
    if (successor.phase === "away") return;
    const { kind, batch } = item;
    const needed = kind === "batch" ? Math.max(successor.need, batch + 1) : successor.need;
    this.state.successor = {
      phase: "linked",
      need: needed,
      inFlight: [...successor.inFlight, { kind, batch, ticket }],
    };
    this.state.nextTicket += 1;
    this.effects.push({ effect: "forward", item, ticket });
  }

  private carryOutEvaluation(item: EvaluationItem<F>): void {
    const last = item.part === item.parts - 1;
    this.effects.push({ effect: "evaluate", item, last });
    this.state.evaluation = { batch: item.batch, heard: item.part + 1, complete: last };
    if (!this.rules.isHead) this.forward(item);
  }

  /** As at the end, nothing that was heard stays unlearnt: what is saved is all there is. */
  private carryOutBarrier(item: BarrierItem<F>): void {
    this.learnEarly(Number.POSITIVE_INFINITY);
    this.effects.push({ effect: "acknowledge", item });
    if (!this.rules.isHead) this.forward(item);
    this.effects.push({ effect: "snapshot", item });
  }

  private carryOutEnd(): void {
    this.learnEarly(Number.POSITIVE_INFINITY);
    this.effects.push(this.rules.isHead ? { effect: "save" } : { effect: "end" });
  }
}

function isAnswered<F>(item: Item<F>): item is AnsweredItem<F> {
  return item.kind !== "end" && item.kind !== "correction";
}
