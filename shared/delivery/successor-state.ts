import type { Rules } from "./rules.ts";

/** Where the successor stands, as far as this layer knows. */
export type SuccessorState = { readonly phase: "away" } | LinkedSuccessor;

interface LinkedSuccessor {
  readonly phase: "linked";
  /** The lowest batch that it lacks; anything up to it may be sent, anything above would be a gap. */
  readonly need: number;
  /** All that it lacks up to the cursor comes from what this layer keeps; nothing of it is asked for. */
  readonly isFed: boolean;
  /** In order of sending, as the answers will come. */
  readonly inFlight: readonly InFlight[];
}

/** Sent to the successor and not answered yet. */
export type InFlight = BatchInFlight | BarrierInFlight | PartInFlight;

interface BarrierInFlight {
  readonly kind: "barrier";
  readonly batch: number;
}

/** Of an evaluation. */
interface PartInFlight {
  readonly kind: "evaluation";
  readonly batch: number;
  readonly part: number;
}

/** What an answer says it is to. */
export type Answered = Pick<BatchInFlight, "kind" | "batch"> | BarrierInFlight | PartInFlight;

export interface BatchInFlight {
  readonly kind: "batch";
  readonly batch: number;
  /** Examples in it; undefined where it is sent again, which what is kept knows. */
  readonly rows: number | undefined;
  /** Unique in this process: a batch may be sent twice. */
  readonly ticket: number;
}

export function hasRoom({ window }: Rules, { inFlight }: LinkedSuccessor): boolean {
  return inFlight.length < window;
}

/** Why this is no answer to what was sent first; undefined if it is. A batch, a part and a barrier may have one number. */
export function misfitOf(answer: Answered, sent: Answered | undefined): string | undefined {
  const [found, expected] = [nameOf(answer), sent ? nameOf(sent) : "none"];
  return found === expected ? undefined : `answer is for ${found}, expected ${expected}`;
}

function nameOf(item: Answered): string {
  return item.kind === "evaluation"
    ? `part ${item.part} before batch ${item.batch}`
    : `${item.kind} ${item.batch}`;
}

/** From now on the item waits for an answer. */
export function withSent(successor: SuccessorState, item: InFlight): SuccessorState {
  if (successor.phase === "away") return successor;
  const { need, inFlight, isFed } = successor;
  const needed = item.kind === "batch" ? Math.max(need, item.batch + 1) : need;
  return { phase: "linked", need: needed, isFed, inFlight: [...inFlight, item] };
}

/** Of the batches whose answers are still to come. */
export function ticketsInFlight({ inFlight }: LinkedSuccessor): number[] {
  return inFlight.flatMap((sent) => (sent.kind === "batch" ? [sent.ticket] : []));
}

/** Examples in the batch whose answer is due next; undefined unless that is this one. */
export function rowsDue(successor: SuccessorState, batch: number): number | undefined {
  const due = successor.phase === "linked" ? successor.inFlight[0] : undefined;
  return due?.kind === "batch" && due.batch === batch ? due.rows : undefined;
}
