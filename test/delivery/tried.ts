import type { Item } from "../../shared/delivery/items.ts";
import { type LayerEffect, type LayerEvent, step } from "../../shared/delivery/layer-delivery.ts";
import { initialState, type LayerState } from "../../shared/delivery/layer-state.ts";
import type { Rules } from "../../shared/delivery/rules.ts";

const usual: Rules = { batches: 100, window: 4, isHead: false, isLocked: false, stalenessBudget: 8 };

/** A layer whose effects can be read as short words: "update 3", "forward 3", … */
export class Tried {
  state: LayerState<string>;
  readonly rules: Rules;

  constructor(change: Partial<Rules> = {}, cursor = -1) {
    this.rules = { ...usual, ...change };
    this.state = initialState(cursor);
  }

  hear(event: LayerEvent<string>): string[] {
    const [state, effects] = step(this.rules, this.state, event);
    this.state = state;
    return effects.map(inWords);
  }

  batch(number: number): string[] {
    return this.hear({ event: "heard", item: { kind: "batch", batch: number, frame: "x" } });
  }

  link(needed: number): string[] {
    return [
      ...this.hear({ event: "predecessorLinked" }),
      ...this.hear({ event: "successorLinked", need: needed }),
    ];
  }

  answer(batch: number, target: string | undefined = "t"): string[] {
    return this.hear({ event: "answered", batch, ...(target ? { target } : {}) });
  }
}

function inWords(effect: LayerEffect<string>): string {
  if ("item" in effect) return `${effect.effect} ${effect.item.batch}`;
  if ("need" in effect) return `${effect.effect} ${effect.need}`;
  if ("batch" in effect) return `${effect.effect} ${effect.batch}`;
  if ("side" in effect) return `${effect.effect} on ${effect.side}: ${effect.reason}`;
  return effect.effect;
}

export const end: Item<string> = { kind: "end" };

export function barrier(batch: number): LayerEvent<string> {
  return { event: "heard", item: { kind: "barrier", batch, frame: "b" } };
}
