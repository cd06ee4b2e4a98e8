import type { DeliveryState } from "./delivery-state.ts";
import { isCatchingUp } from "./feeding.ts";
import type { BarrierItem, EvaluationItem, Item, Payloads } from "./items.ts";
import { isHeldToSave, knownDue, lacking } from "./pinned.ts";
import { isLate, type Rules } from "./rules.ts";
import { hasRoom } from "./successor-state.ts";
import { isNext, reached } from "./working.ts";

/**
 * What becomes of the first item that waits. Apply: do what it is for. Repeat: answer it as before. Rehearse: answer it
 * once more, at present weights. Go back: to a checkpoint from which it can be answered as before. Gap: answer without
 * numbers, and ask for a rewind. Shed: answer without numbers, as what it needs comes behind it.
 */
export type Verdict = Again | "apply" | "goBack" | "gap" | "shed" | "wait";

type Again = "repeat" | "rehearse";

/**
 * Judged from where the layer stands; nothing changes by it. `next` is cursor + 1, `need` the successor's,
 * `spent`: the staleness budget is, or what is kept of batches whose targets are lacking. The first line that fits
 * holds. The head has no successor: it judges by the lines marked *.
 *
 *     batch b     b > next, or the correction before is lacking   gap *
 *                 b < next    and: not kept, and may go back      goBack *
 *                             window full where b is sent         wait
 *                             kept                                repeat *
 *                             else                                rehearse *
 *                 b = next    and: successor away, spent          wait
 *                             need < b, spent                     shed
 *                             window full where b is sent         wait
 *                             else                                apply *
 *       pinned    b = next    and: saved after it, and saving     wait *     (before the lines above)
 *                             successor away                      wait
 *                             an answer due is lacking, and need
 *                               is at most its batch              shed
 *                             it is lacking                       wait
 *       locked    b ≤ next    and: away, full, or most unanswered wait       (instead of the lines above, but repeat)
 *                             pinned, and b − D is unanswered     wait
 *                             need < b                            shed
 *                             else                                apply or rehearse
 *                 while some are unanswered, `next` is behind them, and what is not passed forward waits
 *     evaluation  successor away, or need ≠ b                     shed
 *                 window full                                     wait
 *                 else                                            apply
 *       head      b ≠ next, or not the part that is due           shed *
 *                 else                                            apply *
 *     barrier b   b ≠ next, or written: not all learnt before b   shed *
 *                 successor away, or need ≠ b                     shed
 *                 late, and unanswered what is not before b       shed
 *                 anything unanswered                             wait
 *                 else                                            apply *
 *     correction  always                                          apply *
 *     end         cursor < last                                   gap *
 *                 head: held-out data not all judged              gap *
 *                 successor away                                  wait
 *                 need ≤ last                                     shed
 *                 anything unanswered                             wait
 *                 else                                            apply *
 *
 * While the successor is sent what it lacks before b from what is kept, b = next waits, and so do evaluation and barrier.
 *
 * A batch b is sent on where the successor is linked and b ≤ need (applied), or b = need (repeated, rehearsed).
 */
export function judge(rules: Rules, state: DeliveryState<Payloads>, item: Item<Payloads>): Verdict {
  // Answers go back in order: whatever does not go forward itself comes after those that have.
  if (state.working.length > 0 && !isNext(state, item)) return "wait";
  switch (item.kind) {
    case "batch":
      return judgeBatch(rules, state, item.batch);
    case "evaluation":
      return judgeEvaluation(rules, state, item);
    case "barrier":
      return judgeBarrier(rules, state, item);
    case "correction":
      return "apply";
    case "end":
      return judgeEnd(rules, state);
  }
}

/** A batch just learnt goes on unless that leaves a gap; one learnt before only where the successor lacks it. */
export function isForwarded(
  { isHead }: Rules,
  { successor }: DeliveryState<Payloads>,
  batch: number,
  verdict: Verdict,
): boolean {
  if (isHead || successor.phase === "away") return false;
  return verdict === "apply" ? batch <= successor.need : batch === successor.need;
}

function judgeBatch(rules: Rules, state: DeliveryState<Payloads>, batch: number): Verdict {
  const { cursor, corrected, successor } = state;
  // Also where what the batch before came to was lost on the way.
  if (batch > reached(state) + 1 || (corrected < cursor && batch > corrected + 1)) return "gap";
  const verdict = batch > cursor ? "apply" : again(state, batch);
  if (verdict === "goBack") return verdict;
  if (verdict === "apply" && isHeldToSave(rules, state.isSaving, batch)) return "wait";
  if (rules.isHead) return verdict;
  if (rules.isLocked && verdict !== "repeat") return judgeLocked(rules, state, batch, verdict);
  if (verdict === "apply") {
    const obstacle = obstacleTo(rules, state, batch);
    if (obstacle !== undefined) return obstacle;
  }
  const isSent = isForwarded(rules, state, batch, verdict);
  return isSent && successor.phase === "linked" && !hasRoom(rules, successor) ? "wait" : verdict;
}

function again({ firstSent, mayGoBack }: DeliveryState<Payloads>, batch: number): Again | "goBack" {
  if (batch >= firstSent) return "repeat";
  return mayGoBack ? "goBack" : "rehearse";
}

/**
 * Backprop needs the successor's gradient for every batch, whether the successor has learnt it already or not. One
 * that is due is waited for, though who had sent its batch is gone. Pinned, a batch waits until the gradient of the one
 * `staleness` before it is followed.
 */
function judgeLocked(
  rules: Rules,
  { successor, working }: DeliveryState<Payloads>,
  batch: number,
  verdict: Verdict,
): Verdict {
  if (successor.phase === "away" || !hasRoom(rules, successor)) return "wait";
  const { mostWorking = 1, staleness = mostWorking } = rules;
  const sent = successor.inFlight.filter(({ kind }) => kind === "batch").length;
  if (Math.max(sent, working.length) >= mostWorking) return "wait";
  if (working.some(({ item }) => item.batch + staleness <= batch)) return "wait";
  if (isCatchingUp(successor, batch)) return "wait";
  return successor.need < batch ? "shed" : verdict;
}

/**
 * Why the next batch may not be applied yet. While the successor is away this waits. While it is linked but lacks
 * earlier batches, those come behind this one in the inbox: waiting would never end, so the batch is shed, and
 * comes again after them.
 */
function obstacleTo(
  rules: Rules,
  state: DeliveryState<Payloads>,
  batch: number,
): "wait" | "shed" | undefined {
  const { successor, sinceTarget } = state;
  // Else it would stay as far ahead as it was when its successor came back, and its targets as old.
  if (isCatchingUp(successor, batch)) return "wait";
  if (rules.staleness !== undefined && successor.phase === "away") return "wait";
  const next = lacking(state);
  if (next < (knownDue(rules, state, batch) ?? 0)) {
    if (successor.phase === "away") return "wait";
    return successor.need <= next ? "shed" : "wait";
  }
  // Beyond what is kept, the successor could not be asked for the first of them once more.
  const isKept = rules.sentKept === undefined || batch - next < rules.sentKept;
  if (sinceTarget < rules.stalenessBudget && isKept) return undefined;
  if (successor.phase === "away") return "wait";
  return successor.need < batch ? "shed" : undefined;
}

function judgeEvaluation(
  rules: Rules,
  { cursor, successor, evaluation }: DeliveryState<Payloads>,
  { batch, part, parts }: EvaluationItem<Payloads>,
): Verdict {
  if (rules.isHead) {
    if (batch !== cursor + 1) return "shed";
    const expected = evaluation.batch === batch && !evaluation.complete ? evaluation.heard : 0;
    return part === 0 || (part === expected && part < parts) ? "apply" : "shed";
  }
  if (isCatchingUp(successor, batch)) return "wait";
  if (successor.phase === "away" || successor.need !== batch) return "shed";
  return hasRoom(rules, successor) ? "apply" : "wait";
}

/** Taken where all layers can stand at the same batch; else there is no snapshot this time. */
function judgeBarrier(
  rules: Rules,
  state: DeliveryState<Payloads>,
  { batch }: BarrierItem<Payloads>,
): Verdict {
  const { cursor, successor } = state;
  // Else the shares would be of different batches.
  if (cursor + 1 !== batch) return "shed";
  if (rules.isHead) return "apply";
  // It would learn what a former life had not learnt by then; pinned, all is due where there is a snapshot.
  if (rules.staleness === undefined && (state.written[batch] ?? batch) < batch) return "shed";
  if (isCatchingUp(successor, batch)) return "wait";
  if (successor.phase === "away" || successor.need !== batch) return "shed";
  // What was sent before all began anew: its late gradients may be due only after what comes behind this.
  if (isLate(rules) && successor.inFlight.some((sent) => sent.batch >= batch)) return "shed";
  return successor.inFlight.length === 0 ? "apply" : "wait";
}

function judgeEnd(
  { batches, isHead }: Rules,
  { cursor, successor, evaluation }: DeliveryState<Payloads>,
): Verdict {
  if (cursor < batches - 1) return "gap";
  if (isHead) return evaluation.batch === batches && evaluation.complete ? "apply" : "gap";
  if (successor.phase === "away") return "wait";
  if (successor.need < batches) return "shed";
  return successor.inFlight.length === 0 ? "apply" : "wait";
}
