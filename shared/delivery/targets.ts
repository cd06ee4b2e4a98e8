import type { DeliveryState, HeardTarget } from "./delivery-state.ts";
import type { Payloads } from "./items.ts";
import type { LayerEffect } from "./layer-effect.ts";
import { isDue, isOrdered, isSettled, knownDue } from "./pinned.ts";
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
  if (isOrdered(rules, state) || state.early.length > 0) return keepEarly(hearing, heard);
  const { batch, target, ticket } = heard;
  const isLearnt = rules.sentKept !== undefined && batch < state.learnt;
  if (isLearnt || target === undefined) {
    if (!isLearnt && isSettled(state, batch)) state.learnt = batch + 1;
    return void effects.push({ effect: "forget", tickets: [ticket] });
  }
  state.learnt = batch + 1;
  learn(hearing, heard);
}

function learn<P extends Payloads>({ state, effects }: Hearing<P>, heard: HeardTarget<P>): void {
  const { batch, ticket, target } = heard;
  // Not when it is heard: one that waits for its turn is lost if the layer dies before, and one whose turn is over is dropped.
  if (target !== undefined) state.sinceTarget = 0;
  effects.push({ effect: "learn", batch, ticket, target, age: state.cursor + 1 - batch });
}

/** Pinned: learnt when its turn has come. A batch sent twice is learnt from once. */
function keepEarly<P extends Payloads>(hearing: Hearing<P>, heard: HeardTarget<P>): void {
  const { state, effects } = hearing;
  const { batch, ticket, target } = heard;
  if (!isDue(state, batch, target !== undefined)) {
    effects.push({ effect: "forget", tickets: [ticket] });
    return;
  }
  state.early = [...state.early, heard];
  learnDue(hearing, state.cursor + 1);
}

/** Those that are learnt before batch `next`: all, unless it is known how many. */
export function learnDue<P extends Payloads>(hearing: Hearing<P>, next: number): void {
  learnEarly(hearing, knownDue(hearing.rules, hearing.state, next) ?? Number.POSITIVE_INFINITY);
}

/** Those of batches below `due`. */
export function learnEarly<P extends Payloads>(hearing: Hearing<P>, due: number): void {
  const { state } = hearing;
  const { early } = state;
  for (const heard of early) if (heard.batch < due) learn(hearing, heard);
  state.early = early.filter(({ batch }) => batch >= due);
  state.learnt += early.length - state.early.length;
}
