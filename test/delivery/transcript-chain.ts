import { type DeliveryState, initialState, need } from "../../shared/delivery/delivery-state.ts";
import type { Item } from "../../shared/delivery/items.ts";
import { step } from "../../shared/delivery/layer-delivery.ts";
import type { LayerEffect } from "../../shared/delivery/layer-effect.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import {
  initialSource,
  type SourceEffect,
  type SourceEvent,
  type SourceRules,
  type SourceState,
  stepSource,
} from "../../shared/delivery/source-delivery.ts";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { hello, welcome } from "../support/frames.ts";
import type { Words } from "./tried.ts";

export interface ChainOptions {
  readonly layers: number;
  readonly batches: number;
  readonly window: number;
  readonly budget: number;
  /** Held-out data is sent before every batch that is a multiple of it, in so many `parts`. */
  readonly evaluate: number;
  readonly parts: number;
  /** Barriers likewise; 0 for none. */
  readonly snapshot: number;
  readonly staleness: number | undefined;
  readonly unlocked: boolean;
}

type Message =
  | { readonly says: string; readonly item: Item<Words> }
  | { readonly says: string; readonly layerEvent: LayerEvent<Words>; readonly sourceEvent?: SourceEvent };

/** A link that is up, and what is on its way over it. */
interface TranscriptLink {
  readonly dialler: Life;
  readonly listener: Life;
  readonly forward: Message[];
  readonly back: Message[];
}

/** A source and its layers, and the links between them, which carry a message when they are told to. */
export class Chain {
  readonly options: ChainOptions;
  /** What happened since this was emptied. */
  readonly told: string[] = [];
  readonly links: TranscriptLink[] = [];
  readonly #lives: Life[] = [];
  /** The newest, by number. */
  readonly #incarnations = new Map<number, number>();
  /** By layer: the cursor that it saved last. */
  readonly saved = new Map<number, number>();

  constructor(options: ChainOptions) {
    this.options = options;
    for (let number = 0; number <= options.layers; number++) this.#lives.push(new Life(this, number, 1));
  }

  life(name: string): Life {
    const found = this.#lives.find((each) => each.name === name);
    if (found) return found;
    throw new Error(`Cannot read transcript: ${name} does not live`);
  }

  start(number: number): void {
    const before = this.#incarnations.get(number) ?? 1;
    this.#incarnations.set(number, before + 1);
    const life = new Life(this, number, before + 1);
    this.#lives.push(life);
    const from = number === 0 ? "" : ` from batch ${life.layer!.cursor}`;
    this.told.push(`${life.name} starts${from}`);
  }
  kill(life: Life, why: string): void {
    this.told.push(`${life.name} ends: ${why}`);
    this.#lives.splice(this.#lives.indexOf(life), 1);
    for (const { dialler, listener } of this.links.filter(
      (each) => each.dialler === life || each.listener === life,
    ))
      this.cut(dialler, listener);
  }

  link(dialler: Life, listener: Life): void {
    const refusal = listener.refuses(dialler) ?? dialler.refuses(listener);
    if (refusal) return void this.told.push(`${listener.name} and ${dialler.name} do not link: ${refusal}`);
    const left = this.links.find((each) => each.dialler === dialler);
    if (left) this.cut(dialler, left.listener, `left for ${listener.name}`);
    const old = this.links.find((each) => each.listener === listener);
    if (old) this.cut(old.dialler, listener, "replaced");
    const needed = need(listener.layer!);
    this.told.push(`${listener.name} welcomes ${dialler.name}: needs ${needed}`);
    this.links.push({ dialler, listener, forward: [], back: [] });
    listener.take({ event: "predecessorLinked" });
    dialler.take({ event: "successorLinked", need: needed });
  }

  cut(dialler: Life, listener: Life, why?: string): void {
    const index = this.links.findIndex((each) => each.dialler === dialler && each.listener === listener);
    if (index < 0) return;
    this.links.splice(index, 1);
    if (why) this.told.push(`${dialler.name}–${listener.name} is lost: ${why}`);
    if (this.#lives.includes(listener)) listener.take({ event: "predecessorLost" });
    if (this.#lives.includes(dialler)) dialler.take({ event: "successorLost" });
  }

  deliver(from: string, to: string, count: number): void {
    for (let n = 0; n < count; n++) {
      const link = this.links.find(({ dialler, listener }) =>
        [`${dialler.name} ${listener.name}`, `${listener.name} ${dialler.name}`].includes(`${from} ${to}`),
      );
      const isForward = link?.dialler.name === from;
      const message = isForward ? link?.forward.shift() : link?.back.shift();
      if (!link || !message)
        throw new Error(`Cannot read transcript: nothing is on its way from ${from} to ${to}`);
      (isForward ? link.listener : link.dialler).hear(message);
    }
  }

  /** One of each way at a time, from the source on. */
  deliverAll(): void {
    for (let n = 0; n < 1000; n++) {
      const busy = this.links.flatMap(({ dialler, listener, forward, back }) => [
        ...(forward.length > 0 ? [[dialler, listener] as const] : []),
        ...(back.length > 0 ? [[listener, dialler] as const] : []),
      ]);
      if (busy.length === 0) return;
      for (const [from, to] of busy) if (this.#isUnderWay(from, to)) this.deliver(from.name, to.name, 1);
    }
    throw new Error("Cannot read transcript: messages never end");
  }

  /** Not where a message before it has ended the link. */
  #isUnderWay(from: Life, to: Life): boolean {
    return this.links.some(
      ({ dialler, listener, forward, back }) =>
        (dialler === from && listener === to && forward.length > 0) ||
        (listener === from && dialler === to && back.length > 0),
    );
  }
}

/** One life of the source (0) or of a layer. */
export class Life {
  readonly number: number;
  readonly incarnation: number;
  readonly #chain: Chain;
  readonly #rules: Rules;
  readonly #sourceRules: SourceRules;
  layer: DeliveryState<Words> | undefined;
  source: SourceState | undefined;
  /** Incarnations of the neighbours that it met, by number. */
  readonly #met = new Map<number, number>();

  constructor(chain: Chain, number: number, incarnation: number) {
    const { layers, batches, window, budget, evaluate, parts, snapshot, staleness, unlocked } = chain.options;
    this.number = number;
    this.incarnation = incarnation;
    this.#chain = chain;
    this.#rules = {
      ...{ batches, window, isHead: number === layers, isLocked: false, isUnlocked: unlocked },
      ...(staleness === undefined ? {} : { staleness }),
      stalenessBudget: budget,
    };
    const schedule = { evaluateEvery: evaluate, evaluationParts: parts, snapshotEvery: snapshot };
    this.#sourceRules = { batches, window, ...schedule };
    if (number === 0) this.source = initialSource;
    else this.layer = initialState(chain.saved.get(number) ?? -1);
  }

  get name(): string {
    return this.incarnation === 1 ? `${this.number}` : `${this.number}.${this.incarnation}`;
  }

  get isHead(): boolean {
    return this.#rules.isHead;
  }

  save(): void {
    this.#chain.saved.set(this.number, this.layer!.cursor);
    this.#chain.told.push(`${this.name} has saved batch ${this.layer!.cursor}`);
  }

  /** By the real greeting; who is met is remembered. */
  refuses(other: Life): string | undefined {
    const newest = this.#met.get(other.number);
    const known = newest === undefined ? undefined : { incarnation: newest, instance: `life ${newest}` };
    const { batches } = this.#chain.options;
    const { run, configHash } = hello;
    const expected = { run, configHash, neighbour: other.number, batches, newest: known };
    const who = { from: other.number, incarnation: other.incarnation, instance: `life ${other.incarnation}` };
    const refusal = refuseStranger(expected, { ...(other.number < this.number ? hello : welcome), ...who });
    if (!refusal) this.#met.set(other.number, other.incarnation);
    return refusal && `${refusal.code} ${refusal.reason}`;
  }

  hear(message: Message): void {
    const event = "item" in message ? ({ event: "heard", item: message.item } as const) : message.layerEvent;
    if (this.layer) return this.#takeAsLayer(event, `${this.name} hears ${message.says}`);
    const sourceEvent = "item" in message ? undefined : message.sourceEvent;
    if (sourceEvent) return this.#takeAsSource(sourceEvent, `${this.name} hears ${message.says}`);
    this.#chain.told.push(`${this.name} hears ${message.says}: release`);
    this.#sendForward({ says: "release", layerEvent: { event: "released" } });
  }

  take(event: LayerEvent<Words> | SourceEvent): void {
    if (this.layer) this.#takeAsLayer(event as LayerEvent<Words>);
    else this.#takeAsSource(event as SourceEvent);
  }

  #takeAsSource(event: SourceEvent, said?: string): void {
    const [state, effects] = stepSource(this.#sourceRules, this.source!, event);
    this.source = state;
    this.#tell(said, effects.map(sourceWords));
    for (const effect of effects) this.#carryOutAsSource(effect);
  }

  #takeAsLayer(event: LayerEvent<Words>, said?: string): void {
    const [state, effects] = step(this.#rules, this.layer!, event);
    this.layer = state;
    this.#tell(said, effects.map(layerWords));
    for (const effect of effects) this.#carryOut(effect);
  }

  #tell(said: string | undefined, words: readonly string[]): void {
    const did = words.join("; ");
    if (said) this.#chain.told.push(did ? `${said}: ${did}` : said);
    else if (did) this.#chain.told.push(`${this.name}: ${did}`);
  }

  #carryOutAsSource(effect: SourceEffect): void {
    switch (effect.effect) {
      case "sendBatch":
        return this.#sendBatch(effect.batch);
      case "sendEvaluation":
        return this.#sendEvaluation(effect.batch, effect.part);
      case "sendBarrier":
        return this.#sendBarrier(effect.batch);
      case "end":
        return this.#sendForward({ says: "end", item: { kind: "end" } });
      case "hangUp":
        return this.#hangUp("successor", effect.reason);
    }
  }

  #carryOut(effect: LayerEffect<Words>): void {
    switch (effect.effect) {
      case "update":
      case "rehearse":
        this.#answer(effect.item.batch, true);
        if (effect.ticket === undefined) return;
        return this.#rules.isUnlocked
          ? this.#sendCorrection(effect.item.batch)
          : this.#sendBatch(effect.item.batch);
      case "preview":
        return this.#sendBatch(effect.item.batch);
      case "evaluate":
        this.#answer(effect.item.batch, false);
        return effect.isSent ? this.#sendEvaluation(effect.item.batch, effect.item.part) : undefined;
      case "snapshot":
        this.#answer(effect.item.batch, false);
        return effect.isSent ? this.#sendBarrier(effect.item.batch) : undefined;
      case "acknowledge":
        return this.#answer(effect.item.batch, false);
      case "rewind": {
        const event = { event: "rewound", need: effect.need } as const;
        return this.#sendBack({ says: `rewind to ${effect.need}`, layerEvent: event, sourceEvent: event });
      }
      case "end":
        return this.#sendForward({ says: "end", item: { kind: "end" } });
      case "save":
        return void this.#chain.saved.set(this.number, this.layer!.cursor);
      case "finished":
        return this.#sendBack({ says: "finished", layerEvent: { event: "finished" } });
      case "release":
        this.#sendForward({ says: "release", layerEvent: { event: "released" } });
        return;
      case "hangUp":
        return this.#hangUp(effect.side, effect.reason);
      case "passForward":
      case "passBackward":
        throw new Error("Cannot play a locked layer");
    }
  }

  #sendBatch(batch: number): void {
    this.#sendForward({ says: `batch ${batch}`, item: { kind: "batch", batch, rows: 2, frame: "" } });
  }

  #sendCorrection(batch: number): void {
    this.#sendForward({ says: `correction ${batch}`, item: { kind: "correction", batch, frame: "" } });
  }

  #sendEvaluation(batch: number, part: number): void {
    const { parts } = this.#chain.options;
    const item = { kind: "evaluation", batch, part, parts, frame: "" } as const;
    this.#sendForward({ says: `held-out ${part + 1}/${parts} before ${batch}`, item });
  }

  #sendBarrier(batch: number): void {
    this.#sendForward({ says: `barrier before ${batch}`, item: { kind: "barrier", batch, frame: "" } });
  }

  /** With numbers, unless it goes to the source or teaches nothing. */
  #answer(batch: number, hasNumbers: boolean): void {
    const hasTarget = hasNumbers && this.number > 1;
    const layerEvent = { event: "answered", batch, ...(hasTarget ? { target: "" } : {}) } as const;
    const says = hasTarget ? `gradient ${batch}` : `answer ${batch}`;
    this.#sendBack({ says, layerEvent, sourceEvent: { event: "answered", batch } });
  }

  #sendForward(message: Message): void {
    this.#chain.links.find(({ dialler }) => dialler === this)?.forward.push(message);
  }

  #sendBack(message: Message): void {
    this.#chain.links.find(({ listener }) => listener === this)?.back.push(message);
  }

  #hangUp(side: "predecessor" | "successor", reason: string): void {
    const link = this.#chain.links.find(
      (each) => (side === "predecessor" ? each.listener : each.dialler) === this,
    );
    if (link) this.#chain.cut(link.dialler, link.listener, reason);
  }
}

function sourceWords(effect: SourceEffect): string {
  switch (effect.effect) {
    case "sendBatch":
      return `send ${effect.batch}`;
    case "sendEvaluation":
      return `send held-out ${effect.part + 1} before ${effect.batch}`;
    case "sendBarrier":
      return `send barrier before ${effect.batch}`;
    case "hangUp":
      return "hang up";
    case "end":
      return "send end";
  }
}

function layerWords(effect: LayerEffect<Words>): string {
  switch (effect.effect) {
    case "update":
    case "rehearse":
      return `${effect.effect} ${effect.item.batch}${effect.ticket === undefined ? "" : ", send it on"}`;
    case "evaluate":
    case "snapshot":
      return `${effect.effect} ${effect.item.batch}${effect.isSent ? ", send it on" : ""}`;
    case "learn":
      return `learn ${effect.batch} at age ${effect.age}`;
    case "forget":
      return `forget ${effect.tickets.length} sent`;
    case "rewind":
      return `rewind to ${effect.need}`;
    case "hangUp":
      return "hang up";
    default:
      return "item" in effect ? `${effect.effect} ${effect.item.batch}` : effect.effect;
  }
}
