/** What arrives from a predecessor, in order. `F` is whatever the caller attaches; delivery never looks into it. */
export type Item<F> = AnsweredItem<F> | CorrectionItem<F> | EndItem;

/** What takes room in the window. */
export type AnsweredItem<F> = BatchItem<F> | EvaluationItem<F> | BarrierItem<F>;

export interface BatchItem<F> {
  readonly kind: "batch";
  readonly batch: number;
  readonly frame: F;
}

/** One part of the held-out data, between batch − 1 and batch. */
export interface EvaluationItem<F> {
  readonly kind: "evaluation";
  readonly batch: number;
  readonly part: number;
  readonly parts: number;
  readonly frame: F;
}

/** Between batch − 1 and batch, once everything before is answered: all layers save what they are then. */
export interface BarrierItem<F> {
  readonly kind: "barrier";
  readonly batch: number;
  readonly frame: F;
}

/** What the input of the batch directly before it came to, where that was guessed. */
export interface CorrectionItem<F> {
  readonly kind: "correction";
  readonly batch: number;
  readonly frame: F;
}

/** No batch follows. */
export interface EndItem {
  readonly kind: "end";
}

/** Sent to the successor and not answered yet. `ticket` is unique in this process: a batch may be sent twice. */
export interface InFlight {
  readonly kind: "batch" | "evaluation" | "barrier";
  readonly batch: number;
  readonly ticket: number;
}
