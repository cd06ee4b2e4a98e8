import { type DeliveryState, initialState } from "../../shared/delivery/delivery-state.ts";
import type { Item, Payloads } from "../../shared/delivery/items.ts";
import { step } from "../../shared/delivery/layer-delivery.ts";
import type { LayerEffect } from "../../shared/delivery/layer-effect.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";
import type { Answered } from "../../shared/delivery/successor-state.ts";

const usual: Rules = { batches: 100, window: 4, isHead: false, isLocked: false, stalenessBudget: 8 };

/** Attached to items and answers: any word will do. */
export type Words = { readonly [Kind in keyof Payloads]: string };

/** A layer whose effects can be read as short words: "update 3", "forward 3", … */
export class Tried {
  state: DeliveryState<Words>;
  readonly rules: Rules;

  constructor(change: Partial<Rules> = {}, cursor = -1) {
    this.rules = { ...usual, ...change };
    this.state = initialState(cursor);
  }

  hear(event: LayerEvent<Words>): string[] {
    const [state, effects] = step(this.rules, this.state, event);
    this.state = state;
    return effects.flatMap(inWords);
  }

  batch(number: number): string[] {
    return this.hear({ event: "heard", item: { kind: "batch", batch: number, rows: 2, frame: "x" } });
  }

  link(needed: number): string[] {
    return [
      ...this.hear({ event: "predecessorLinked" }),
      ...this.hear({ event: "successorLinked", need: needed }),
    ];
  }

  /** To what was sent first, if it has this number, else to a batch. */
  answer(batch: number, target: string | undefined = "t"): string[] {
    const { successor } = this.state;
    const first = successor.phase === "linked" ? successor.inFlight[0] : undefined;
    const item = first?.batch === batch ? first : ({ kind: "batch", batch } as const);
    return this.answerTo(item, target);
  }

  answerTo(item: Answered, target?: string): string[] {
    return this.hear({ event: "answered", item, ...(target ? { target } : {}) });
  }
}

/** One word for each thing that is done, in order: what is sent on is "forward". */
function inWords(effect: LayerEffect<Words>): string[] {
  switch (effect.effect) {
    case "update":
    case "rehearse":
      return [inWord(effect), ...(effect.ticket === undefined ? [] : [`forward ${effect.item.batch}`])];
    case "passForward":
      return [inWord(effect), `forward ${effect.item.batch}`];
    case "evaluate":
      return [inWord(effect), ...(effect.isSent ? [`forward ${effect.item.batch}`] : [])];
    case "snapshot": {
      const { batch } = effect.item;
      return [`acknowledge ${batch}`, ...(effect.isSent ? [`forward ${batch}`] : []), `snapshot ${batch}`];
    }
    default:
      return [inWord(effect)];
  }
}

function inWord(effect: LayerEffect<Words>): string {
  if ("item" in effect) return `${effect.effect} ${effect.item.batch}`;
  if ("need" in effect) return `${effect.effect} ${effect.need}`;
  if ("batch" in effect) return `${effect.effect} ${effect.batch}`;
  if ("side" in effect) return `${effect.effect} on ${effect.side}: ${effect.reason}`;
  return effect.effect;
}

export const end: Item<Words> = { kind: "end" };

export function barrier(batch: number): LayerEvent<Words> {
  return { event: "heard", item: { kind: "barrier", batch, frame: "b" } };
}
