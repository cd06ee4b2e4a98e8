import { type Answered, misfitOf } from "./successor-state.ts";

/**
 * What the source does: feeds batches in order, rewinds when asked, evaluates at set batches, and says when it is
 * over.
 */
export interface SourceRules {
  readonly batches: number;
  readonly window: number;
  /** Held-out data is sent before batch n wherever n is a multiple of this, and before the end. */
  readonly evaluateEvery: number;
  readonly evaluationParts: number;
  /** A barrier is sent before batch n wherever n is a multiple of this, after its evaluation; 0 for none. */
  readonly snapshotEvery: number;
}

/** It keeps nothing that a crash could lose: the first welcome tells it where to go on, a folder what is saved. */
export interface SourceState {
  readonly successor: "away" | "linked";
  /** Next batch to send; `batches` when all are sent. */
  readonly next: number;
  /** Parts of the evaluation before `next` sent so far. */
  readonly evaluated: number;
  /** The barrier before `next` was sent. */
  readonly barred: boolean;
  /**
   * The newest batch of which there is a durable snapshot of the network; −1 if there is none. No older one is
   * made.
   */
  readonly snapshotted: number;
  readonly inFlight: readonly Answered[];
  readonly endSent: boolean;
  /** Told to send nothing for a while; answers are heard. */
  readonly paused: boolean;
}

export type SourceEvent =
  | { readonly event: "paused" }
  | { readonly event: "unpaused" }
  | { readonly event: "successorLinked"; readonly need: number }
  | { readonly event: "successorLost" }
  | { readonly event: "rewound"; readonly need: number }
  | { readonly event: "answered"; readonly item: Answered }
  | { readonly event: "snapshotted"; readonly batch: number };

export type SourceEffect =
  | { readonly effect: "sendBatch"; readonly batch: number }
  | { readonly effect: "sendEvaluation"; readonly batch: number; readonly part: number }
  | { readonly effect: "sendBarrier"; readonly batch: number }
  | { readonly effect: "end" }
  | { readonly effect: "hangUp"; readonly reason: string };

export const initialSource: SourceState = {
  successor: "away",
  next: 0,
  evaluated: 0,
  barred: false,
  snapshotted: -1,
  inFlight: [],
  endSent: false,
  paused: false,
};

export function stepSource(
  rules: SourceRules,
  state: SourceState,
  event: SourceEvent,
): [SourceState, SourceEffect[]] {
  switch (event.event) {
    case "paused":
      return [{ ...state, paused: true }, []];
    case "unpaused":
      return feed(rules, { ...state, paused: false });
    case "successorLinked":
      return feed(rules, { ...goTo(state, event.need), successor: "linked", inFlight: [] });
    case "successorLost":
      return [{ ...state, successor: "away", inFlight: [] }, []];
    case "rewound":
      return feed(rules, goTo(state, Math.min(state.next, event.need)));
    case "answered":
      return hearAnswer(rules, state, event.item);
    case "snapshotted":
      return [{ ...state, snapshotted: Math.max(state.snapshotted, event.batch) }, []];
  }
}

function goTo(state: SourceState, next: number): SourceState {
  return { ...state, next, evaluated: 0, barred: false, endSent: false };
}

function hearAnswer(rules: SourceRules, state: SourceState, item: Answered): [SourceState, SourceEffect[]] {
  const [sent, ...inFlight] = state.inFlight;
  const reason = misfitOf(item, sent);
  if (reason === undefined) return feed(rules, { ...state, inFlight });
  return [state, [{ effect: "hangUp", reason }]];
}

/** Sends while the window has room and it is not told to pause. */
function feed(rules: SourceRules, start: SourceState): [SourceState, SourceEffect[]] {
  const effects: SourceEffect[] = [];
  let state = start;
  if (start.paused) return [start, []];
  while (state.successor === "linked" && !state.endSent && state.inFlight.length < rules.window) {
    const [next, effect] = sendOne(rules, state);
    state = next;
    effects.push(effect);
  }
  return [state, effects];
}

function sendOne(rules: SourceRules, state: SourceState): [SourceState, SourceEffect] {
  const { next, evaluated, inFlight } = state;
  if (evaluated < evaluationPartsBefore(rules, next)) {
    const sent = [...inFlight, { kind: "evaluation", batch: next, part: evaluated } as const];
    return [
      { ...state, evaluated: evaluated + 1, inFlight: sent },
      { effect: "sendEvaluation", batch: next, part: evaluated },
    ];
  }
  if (isBarrierDue(rules, state)) {
    const sent = [...inFlight, { kind: "barrier", batch: next } as const];
    return [
      { ...state, barred: true, inFlight: sent },
      { effect: "sendBarrier", batch: next },
    ];
  }
  if (next >= rules.batches) return [{ ...state, endSent: true }, { effect: "end" }];
  const sent = [...inFlight, { kind: "batch", batch: next } as const];
  return [
    { ...state, next: next + 1, evaluated: 0, barred: false, inFlight: sent },
    { effect: "sendBatch", batch: next },
  ];
}

function evaluationPartsBefore(
  { batches, evaluateEvery, evaluationParts }: SourceRules,
  next: number,
): number {
  const isDue = next === batches || (next > 0 && next % evaluateEvery === 0);
  return isDue ? evaluationParts : 0;
}

/** At the end there is none: every layer's last checkpoint is one. */
function isBarrierDue(
  { batches, snapshotEvery }: SourceRules,
  { next, barred, snapshotted }: SourceState,
): boolean {
  const isThere = next > 0 && next < batches && snapshotEvery > 0 && next % snapshotEvery === 0;
  return isThere && !barred && next > snapshotted;
}
