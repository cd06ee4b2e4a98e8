import { conditionOf } from "../../../shared/record/condition.ts";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import { isKnown } from "../../../shared/record/numbers.ts";
import { isOldAt } from "./worker-cards.ts";

/** What goes between two neighbours, as far as both have told of late. Undefined is not known, never zero. */
export interface LinkView {
  readonly from: string;
  readonly to: string;
  readonly tone: "flowing" | "still" | "broken";
  readonly activationsPerSecond?: number;
  readonly gradientsPerSecond?: number;
  /** Bytes a second. */
  readonly forward?: number;
  readonly back?: number;
  readonly inFlight?: number;
  readonly window?: number;
  /** In batches. */
  readonly staleness?: number;
  readonly isOld: boolean;
}

type Flow = { readonly forward: number; readonly back: number } | undefined;

/** One fewer than the workers, who stand in the order of the chain. */
export function linksOf(workers: readonly WorkerView[], now: number): LinkView[] {
  const flows = flowsOf(workers, now);
  return workers.slice(1).map((to, index) => linkBetween(workers[index]!, to, flows[index], now));
}

function linkBetween(from: WorkerView, to: WorkerView, flow: Flow, now: number): LinkView {
  const isOld = isOldAt(from, now) || isOldAt(to, now);
  const tone = toneOf(from, to, isOld);
  return {
    ...{ from: from.name, to: to.name, tone, isOld },
    ...(tone === "broken" ? {} : rates(from, to)),
    ...flow,
    ...some("inFlight", from.inFlight),
    ...some("window", from.window),
    ...some("staleness", from.staleness),
  };
}

function toneOf(from: WorkerView, to: WorkerView, isOld: boolean): LinkView["tone"] {
  const conditions = [conditionOf(from).tone, conditionOf(to).tone];
  if (isOld || conditions.some((tone) => tone === "dark" || tone === "silent" || tone === "absent"))
    return "broken";
  return Math.min(from.perSecond, to.perSecond) > 0 && !conditions.includes("done") ? "flowing" : "still";
}

/** Every batch the successor applies was an activation to it, and is answered by one gradient. */
function rates(from: WorkerView, to: WorkerView) {
  return { activationsPerSecond: Math.min(from.perSecond, to.perSecond), gradientsPerSecond: to.perSecond };
}

/**
 * A worker counts its bytes over both of its links. The source has but one, so from there on each link is what is left.
 * Behind a worker that has not told lately nothing can be told apart, nor while things change so fast that less than
 * nothing is left.
 */
function flowsOf(workers: readonly WorkerView[], now: number): Flow[] {
  let before: Flow = { forward: 0, back: 0 };
  return workers.map((worker) => {
    const { sendsPerSecond: sends, receivesPerSecond: receives } = worker;
    const isTold =
      worker.contact === "connected" && !isOldAt(worker, now) && isKnown(sends) && isKnown(receives);
    before = before && isTold ? rest(before, sends, receives) : undefined;
    return before;
  });
}

function rest(before: Exclude<Flow, undefined>, sends: number, receives: number): Flow {
  const [forward, back] = [sends - before.back, receives - before.forward];
  // A little is the rounding of what two clocks measured.
  if (forward < -0.02 * sends || back < -0.02 * receives) return undefined;
  return { forward: Math.max(0, forward), back: Math.max(0, back) };
}

function some<Key extends string>(key: Key, value: number | undefined) {
  return (isKnown(value) ? { [key]: value } : {}) as { readonly [K in Key]?: number };
}
