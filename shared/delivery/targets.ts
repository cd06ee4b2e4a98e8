import type { DeliveryState, HeardTarget } from "./delivery-state.ts";
import type { Payloads } from "./items.ts";
import type { LayerEffect } from "./layer-effect.ts";
import { dueBefore, isDue } from "./pinned.ts";
import type { Rules } from "./rules.ts";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a step may write while it hears answers. */
interface Hearing<P extends Payloads> {
  readonly rules: Rules;
  readonly state: Mutable<DeliveryState<P>>;
  readonly effects: LayerEffect<P>[];
}

/** As it comes, or pinned: in its turn. One of a batch that was sent again, as it is kept, is learnt once. */
export function hearTarget<P extends Payloads>(hearing: Hearing<P>, heard: HeardTarget<P>): void {
  const { rules, state, effects } = hearing;
  if (rules.staleness !== undefined) return keepEarly(hearing, heard);
  const isLearnt = rules.sentKept !== undefined && heard.batch < state.learnt;
  if (heard.target === undefined || isLearnt)
    return void effects.push({ effect: "forget", tickets: [heard.ticket] });
  state.learnt = heard.batch + 1;
  state.sinceTarget = 0;
  learn(hearing, heard);
}

function learn<P extends Payloads>({ state, effects }: Hearing<P>, heard: HeardTarget<P>): void {
  const { batch, ticket, target } = heard;
  effects.push({ effect: "learn", batch, ticket, target, age: state.cursor + 1 - batch });
}

/** Pinned: learnt when its turn has come. A batch sent twice is learnt from once. */
function keepEarly<P extends Payloads>(hearing: Hearing<P>, heard: HeardTarget<P>): void {
  const { rules, state, effects } = hearing;
  const { batch, ticket, target } = heard;
  if (target !== undefined) state.sinceTarget = 0;
  if (!isDue(state, batch, target !== undefined)) {
    effects.push({ effect: "forget", tickets: [ticket] });
    return;
  }
  state.early = [...state.early, heard];
  learnEarly(hearing, dueBefore(rules, state.cursor + 1));
}

/** Those of batches below `due`. */
export function learnEarly<P extends Payloads>(hearing: Hearing<P>, due: number): void {
  const { state } = hearing;
  const { early } = state;
  for (const heard of early) if (heard.batch < due) learn(hearing, heard);
  state.early = early.filter(({ batch }) => batch >= due);
  state.learnt += early.length - state.early.length;
}
