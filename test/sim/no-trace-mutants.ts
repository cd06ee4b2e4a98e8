import type { Invariant } from "./checks/invariant.ts";
import type { FaultClass, FreeFaultClass, PinnedScenario } from "./no-trace.ts";
import type { Scenario } from "./scenario.ts";

/** Pinned runs with such faults end with other weights than undisturbed ones. */
export interface Trace {
  readonly trace: FaultClass;
  /** The first seed that is tried. */
  readonly from: number;
  /** Runs in which it matters; of any kind unless given. */
  readonly scenario?: PinnedScenario;
}

const trace = (faults: FaultClass, from = 1, scenario?: PinnedScenario): Trace => ({
  trace: faults,
  from,
  ...(scenario && { scenario }),
});

/** Held-out data often lies between what layers lack, so that nobody can feed them. */
const often = { staleness: 1, evaluateEvery: 7, checkpointEvery: 2, method: "cdni" } as const;
const oftenBack: PinnedScenario = {
  ...{ ...often, layers: 4, batches: 60, window: 2 },
  ...{ stalenessBudget: 16, faultsMs: 4000 },
};
const oftenReplaced: PinnedScenario = {
  ...{ ...often, layers: 3, batches: 60, window: 4 },
  ...{ stalenessBudget: 4, faultsMs: 3000, isUnlocked: true },
};

/** Free ones end with other weights than their orders come to. */
export interface FreeTrace {
  readonly freeTrace: FreeFaultClass;
  readonly from?: number;
  readonly scenario?: Scenario;
}

const oftenAlone: Scenario = {
  ...{ layers: 4, batches: 60, window: 2, evaluateEvery: 7, checkpointEvery: 5, stalenessBudget: 16 },
  ...{ method: "cdni", faultsMs: 3000, snapshotEvery: 0 },
};
const oftenSnapped: Scenario = {
  ...{ layers: 3, batches: 40, window: 8, evaluateEvery: 50, checkpointEvery: 5, stalenessBudget: 64 },
  ...{ method: "cdni", faultsMs: 1500, snapshotEvery: 1 },
};

/** A guard, taken out of the real code: its text, and what stands there instead. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly guard: string;
  readonly without: string;
  readonly violates: Invariant | Trace | FreeTrace;
  /** Runs in which it matters, though rarely: from this seed on. Else those of any kind, from the first. */
  readonly where?: { readonly scenario: Scenario; readonly firstSeed: number };
}

export const noTraceMutants: readonly Mutant[] = [
  {
    name: "a batch learnt before is answered at present weights",
    file: "shared/delivery/verdict.ts",
    guard: 'if (batch >= firstSent) return "repeat";',
    without: 'if (batch >= firstSent) return "rehearse";',
    violates: trace("one process"),
  },
  {
    name: "a checkpoint holds nothing of what was sent",
    file: "services/layer/lineage.ts",
    guard: "this.#keeping.lowestAsked(this.cursor, this.#standing),",
    without: "this.cursor + 1,",
    violates: trace("one process"),
  },
  {
    name: "a checkpoint holds nothing of what waits for its target",
    file: "services/layer/layer-work.ts",
    guard: "evidence: this.#evidence?.stateSince(learnt)",
    without: "evidence: (learnt, undefined)",
    violates: trace("one process"),
  },
  {
    name: "what waits for its target is lost with a link",
    file: "services/layer/layer-work.ts",
    guard: 'if (this.layer.kind === "late") this.layer.forget(tickets);',
    without: 'this.#evidence?.clear(); if (this.layer.kind === "late") this.layer.forget(tickets);',
    violates: trace("one process"),
  },
  {
    name: "a checkpoint does not say how many targets are in it",
    file: "services/layer/lineage.ts",
    guard: "found = known.map(([name, value]) => [name, counters[STANDING + name] ?? value]);",
    without: "found = known;",
    violates: trace("one process"),
  },
  {
    name: "a layer lets go of answers that are lost with a link",
    file: "shared/delivery/pinned.ts",
    guard: "Math.min(need, next)",
    without: "need",
    violates: trace("any processes"),
  },
  {
    name: "a target is learnt as often as it is heard",
    file: "shared/delivery/pinned.ts",
    guard: "return batch === lacking(state) && (hasNumbers",
    without: "return batch <= lacking(state) && (hasNumbers",
    violates: trace("processes and links"),
  },
  {
    name: "nobody goes back for a neighbour",
    file: "shared/delivery/verdict.ts",
    guard: 'return mayGoBack ? "goBack" : "rehearse";',
    without: 'return "rehearse";',
    violates: trace("any processes"),
  },
  {
    name: "a snapshot that does not come about changes the order of learning",
    file: "shared/delivery/pinned.ts",
    guard: "snapshotEvery > 0 ? next - (next % snapshotEvery) : 0",
    without: "snapshotEvery < 0 ? next : 0",
    violates: trace("any processes"),
  },
  {
    name: "a checkpoint is copied when others have been applied",
    file: "services/layer/lineage.ts",
    guard: "if (this.isSaving) await this.#store.idle();",
    without: "await this.#store.idle();",
    violates: trace("any processes"),
  },
  {
    name: "what an input came to is lost with a link",
    file: "shared/delivery/delivery-state.ts",
    guard: "const own = corrected + 1;",
    without: "const own = arguments[0].cursor + 1;",
    violates: trace("processes and links"),
  },
  {
    name: "what former lives saved takes the room of checkpoints to go back to",
    file: "shared/checkpoint/checkpoint-name.ts",
    guard: "return isNew || index < kept;",
    without: "return index < kept;",
    violates: trace("processes and newest files", 1017, oftenBack),
  },
  {
    name: "no fence: an older life is taken in after a newer one",
    file: "shared/link/greeting.ts",
    guard: "return refuseOldLife(peer, expected.newest);",
    without: "return refuseOldLife(peer, undefined);",
    violates: trace("processes and links", 121, oftenReplaced),
  },
  {
    name: "a former life of a neighbour is believed that lacks everything",
    file: "services/worker/listen-first.ts",
    guard: "beforeAnswer: async () => owner?.beforeAnswer?.(),",
    without: "",
    violates: trace("any processes", 830, oftenReplaced),
  },
  {
    name: "a new life of a free run learns in an order of its own",
    file: "services/layer/startup.ts",
    guard: "order?.since(next) ?? []",
    without: "order?.since(1e9) ?? []",
    violates: { freeTrace: "one process" },
  },
  {
    name: "answers that a neighbour may lack are in no checkpoint of a free run",
    file: "services/layer/startup.ts",
    guard: "Math.min(lacking, cursor + 1 - 2 * window)",
    without: "(lacking, window, cursor + 1)",
    violates: { freeTrace: "any processes" },
  },
  {
    name: "an answer without numbers counts as heard though its batch is sent again",
    file: "shared/delivery/targets.ts",
    guard: "if (!isLearnt && isSettled(state, batch)) state.learnt",
    without: "if (!isLearnt) state.learnt",
    violates: { freeTrace: "any processes" },
  },
  {
    name: "a layer learns on alone when it keeps no more of what its targets are lacking of",
    file: "shared/delivery/verdict.ts",
    guard: "sinceTarget < rules.stalenessBudget && isKept",
    without: "sinceTarget < rules.stalenessBudget",
    violates: { freeTrace: "any processes", from: 10052 },
  },
  {
    name: "a snapshot changes the order that a former life wrote",
    file: "shared/delivery/verdict.ts",
    guard: 'if (rules.staleness === undefined && (state.written[batch] ?? batch) < batch) return "shed";',
    without: "",
    violates: { freeTrace: "any processes", from: 55, scenario: oftenSnapped },
  },
  {
    name: "checkpoints are kept as if only one layer could learn on alone",
    file: "services/layer/startup.ts",
    guard: "after * (window + stalenessBudget)",
    without: "window + stalenessBudget",
    violates: { freeTrace: "any processes", from: 406, scenario: oftenAlone },
  },
];
