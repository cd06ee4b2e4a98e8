import { type DeliveryState, initialState } from "../../shared/delivery/delivery-state.ts";
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
import type { Answered } from "../../shared/delivery/successor-state.ts";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { hello, welcome } from "../support/frames.ts";
import type { Chain } from "./transcript-chain.ts";
import { layerWords, sourceWords } from "./transcript-words.ts";
import type { Words } from "./tried.ts";

export type Message =
  | { readonly says: string; readonly item: Item<Words> }
  | { readonly says: string; readonly layerEvent: LayerEvent<Words>; readonly sourceEvent?: SourceEvent };

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
        this.#answer(effect.item, true);
        if (effect.ticket === undefined) return;
        return this.#rules.isUnlocked
          ? this.#sendCorrection(effect.item.batch)
          : this.#sendBatch(effect.item.batch);
      case "preview":
        return this.#sendBatch(effect.item.batch);
      case "evaluate":
        this.#answer(effect.item, false);
        return effect.isSent ? this.#sendEvaluation(effect.item.batch, effect.item.part) : undefined;
      case "snapshot":
        this.#answer(effect.item, false);
        return effect.isSent ? this.#sendBarrier(effect.item.batch) : undefined;
      case "acknowledge":
        return this.#answer(effect.item, false);
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
  #answer(item: Answered, hasNumbers: boolean): void {
    const hasTarget = hasNumbers && this.number > 1;
    const layerEvent = { event: "answered", item, ...(hasTarget ? { target: "" } : {}) } as const;
    const says = hasTarget ? `gradient ${item.batch}` : `answer ${item.batch}`;
    this.#sendBack({ says, layerEvent, sourceEvent: { event: "answered", item } });
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
