import { applied } from "./applied.ts";
import type { DeliveryState } from "./delivery-state.ts";
import type { BatchItem, Item, Payloads } from "./items.ts";
import type { LayerEffect } from "./layer-effect.ts";
import { isLate, type Rules } from "./rules.ts";

/** Backprop only: a batch that was passed forward, and whose gradient is still to be followed. */
export interface Working<P extends Payloads> {
  readonly item: BatchItem<P>;
  /** Under which it was sent. */
  readonly ticket: number;
  /** What came back, where something did: a gradient, or nothing to learn from. */
  readonly answer?: { readonly target: P["target"] | undefined };
}

/** Highest batch that was applied, or passed forward. */
export function reached({ cursor, working }: Pick<DeliveryState<Payloads>, "cursor" | "working">): number {
  return working.reduce((highest, { item }) => Math.max(highest, item.batch), cursor);
}

/** What came back under this ticket; a batch whose sender is gone is no longer among them. */
export function withAnswer<P extends Payloads>(
  working: readonly Working<P>[],
  ticket: number,
  target: P["target"] | undefined,
): readonly Working<P>[] {
  return working.map((each) => (each.ticket === ticket ? { ...each, answer: { target } } : each));
}

/** Whether it can go forward behind those that wait for their gradients. */
export function isNext(state: DeliveryState<Payloads>, item: Item<Payloads>): boolean {
  const { successor } = state;
  if (item.kind !== "batch" || successor.phase === "away") return false;
  return item.batch <= reached(state) + 1 && item.batch <= successor.need;
}

/**
 * Late gradients: where all of them come again, from batch `needed` on, none is waited for. The
 * gradient of one may be due only after a batch that waits behind it here.
 */
export function abandon<P extends Payloads>(
  rules: Rules,
  state: DeliveryState<P>,
  needed: number,
): [DeliveryState<P>, LayerEffect<P>[]] {
  const { working } = state;
  if (!isLate(rules) || working.some(({ item }) => item.batch < needed)) return [state, []];
  const forgotten = { effect: "forget", tickets: working.map(({ ticket }) => ticket) } as const;
  const answers = working.map(({ item }) => ({ effect: "acknowledge", item }) as const);
  return [{ ...state, working: [] }, working.length === 0 ? [] : [forgotten, ...answers]];
}

/**
 * Follows the gradients that have come and are due, in order, and answers with what they become. Late gradients of what
 * comes again are not waited for.
 */
export function settle<P extends Payloads>(
  rules: Rules,
  start: DeliveryState<P>,
): [DeliveryState<P>, LayerEffect<P>[]] {
  let [state, effects] = isStuck(rules, start)
    ? abandon(rules, start, start.working[0]!.item.batch)
    : [start, []];
  while (isSettling(rules, state)) {
    const [{ item, ticket, answer }, ...working] = state.working as [Working<P>, ...Working<P>[]];
    const gradient = answer?.target;
    if (gradient === undefined) {
      // It comes again, since a rewind to below it is under way.
      effects.push({ effect: "forget", tickets: [ticket] }, { effect: "acknowledge", item });
      state = { ...state, working, rewinding: rules.window };
      continue;
    }
    const learns = item.batch === state.cursor + 1;
    effects.push({ effect: "passBackward", item, ticket, gradient, learns });
    state = { ...state, working };
    if (!learns) continue;
    const [after, checkpoints] = applied(rules, state, item.batch);
    state = after;
    effects.push(...checkpoints);
  }
  return [state, effects];
}

/**
 * Pinned: whether what makes gradients due comes behind what waits for those, as the predecessor has begun anew, or must after
 * a gap.
 */
function isStuck({ staleness }: Rules, state: DeliveryState<Payloads>): boolean {
  const { inbox, working } = state;
  const [first] = inbox;
  if (staleness === undefined || first === undefined || working.length === 0) return false;
  if (isNext(state, first)) return false;
  const comesAgain = (item: Item<Payloads>) => "batch" in item && item.batch <= working[0]!.item.batch;
  return inbox.some(comesAgain) || (first.kind === "batch" && first.batch > reached(state) + 1);
}

/**
 * Whether the answer to the first of them may be used. Pinned, a gradient waits until its batch is `staleness` behind;
 * not where some are there that will not be learnt from, since they take the room of those that would make it due, nor
 * where nothing goes forward until all are settled: before batches at which the network is judged or saved, and where what
 * waits in the inbox cannot.
 */
function isSettling(rules: Rules, state: DeliveryState<Payloads>): boolean {
  const [first] = state.working;
  if (!first?.answer) return false;
  const { staleness, mostWorking = 1, batches, settleEvery = [] } = rules;
  const next = reached(state) + 1;
  return (
    staleness === undefined ||
    state.cursor + state.working.length + 1 !== next ||
    first.item.batch + Math.min(staleness, mostWorking) <= next ||
    next === batches ||
    settleEvery.some((every) => every > 0 && next % every === 0) ||
    isBlocked(state)
  );
}

/** Whether what waits in the inbox cannot go forward, so that it makes no gradient due. */
function isBlocked(state: DeliveryState<Payloads>): boolean {
  const [first] = state.inbox;
  return first !== undefined && !(isNext(state, first) && "batch" in first && first.batch > reached(state));
}
