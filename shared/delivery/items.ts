/** What the caller attaches to each kind of item, and to an answer with numbers. Delivery never looks into it. */
export interface Payloads {
  readonly batch: unknown;
  readonly evaluation: unknown;
  readonly barrier: unknown;
  readonly correction: unknown;
  readonly target: unknown;
}

/** What arrives from a predecessor, in order. */
export type Item<P extends Payloads> = AnsweredItem<P> | CorrectionItem<P> | EndItem;

/** What takes room in the window. */
export type AnsweredItem<P extends Payloads> = BatchItem<P> | EvaluationItem<P> | BarrierItem<P>;

export interface BatchItem<P extends Payloads> {
  readonly kind: "batch";
  readonly batch: number;
  /** Examples in it: its answer has as many. */
  readonly rows: number;
  readonly frame: P["batch"];
}

/** One part of the held-out data, between batch − 1 and batch. */
export interface EvaluationItem<P extends Payloads> {
  readonly kind: "evaluation";
  readonly batch: number;
  readonly part: number;
  readonly parts: number;
  readonly frame: P["evaluation"];
}

/** Between batch − 1 and batch, once everything before is answered: all layers save what they are then. */
export interface BarrierItem<P extends Payloads> {
  readonly kind: "barrier";
  readonly batch: number;
  readonly frame: P["barrier"];
}

/** What the input of the batch directly before it came to, where that was guessed. */
export interface CorrectionItem<P extends Payloads> {
  readonly kind: "correction";
  readonly batch: number;
  readonly frame: P["correction"];
}

/** No batch follows. */
interface EndItem {
  readonly kind: "end";
}
