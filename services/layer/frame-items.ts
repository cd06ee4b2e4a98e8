import type { AnsweredItem, Item } from "../../shared/delivery/items.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import {
  type BarrierFrame,
  type BatchFrame,
  type CorrectionFrame,
  type EvaluationFrame,
  type ForwardFrame,
  type GradientFrame,
  isEvaluation,
  type RewindFrame,
  rowsOf,
  type TargetFrame,
} from "../../shared/wire/frames.ts";

/** What delivery carries along. */
export interface Frames {
  readonly batch: BatchFrame;
  readonly evaluation: EvaluationFrame;
  readonly barrier: BarrierFrame;
  readonly correction: CorrectionFrame;
  readonly target: TargetFrame;
}

/**
 * What a frame from the predecessor is to delivery. Throws a FrameError unless it is of a run of so many batches.
 */
export function itemOf(
  frame: Exclude<ForwardFrame, { kind: "release" | "question" }>,
  batches: number,
): Item<Frames> {
  switch (frame.kind) {
    case "end":
      if (frame.batches === batches) return { kind: "end" };
      throw new FrameError(`end is at ${frame.batches} batches, this run has ${batches}`);
    case "barrier":
      if (frame.batch < batches) return { kind: "barrier", batch: frame.batch, frame };
      throw new FrameError(`Cannot stop at batch ${frame.batch}: the run has ${batches}`);
    case "correction":
      requireBatch(frame.batch, batches - 1, batches);
      return { kind: "correction", batch: frame.batch, frame };
    default:
      return isEvaluation(frame) ? evaluationItemOf(frame, batches) : batchItemOf(frame, batches);
  }
}

/** What tells the answer to this item from that to another of the same number. */
export function namedIn(item: AnsweredItem<Frames>): Pick<GradientFrame, "part" | "snapshot"> {
  if (item.kind === "evaluation") return { part: item.part };
  return item.kind === "barrier" ? { snapshot: item.frame.snapshot } : {};
}

/** Throws a FrameError if it is beyond the run. */
export function needIn({ need }: RewindFrame, batches: number): number {
  if (need <= batches) return need;
  throw new FrameError(`Cannot rewind to batch ${need}: the run has ${batches}`);
}

function batchItemOf(frame: BatchFrame, batches: number): Item<Frames> {
  const { batch } = frame;
  requireBatch(batch, batches - 1, batches);
  return { kind: "batch", batch, rows: rowsOf(frame), frame };
}

/** The last evaluation comes after the last batch. */
function evaluationItemOf(frame: EvaluationFrame, batches: number): Item<Frames> {
  const { batch, evaluation } = frame;
  requireBatch(batch, batches, batches);
  return { kind: "evaluation", batch, ...evaluation, frame };
}

function requireBatch(batch: number, most: number, batches: number): void {
  if (batch > most) throw new FrameError(`Cannot take batch ${batch}: the run has ${batches}`);
}
