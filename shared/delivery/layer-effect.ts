import type { AnsweredItem, BarrierItem, BatchItem, EvaluationItem, Payloads } from "./items.ts";
import type { Standing } from "./standing.ts";

/** What a layer is to do, each whole in itself: no effect relies on what another one left behind. */
export type LayerEffect<P extends Payloads> =
  | BatchEffect<P>
  | EndEffect
  | HangUp
  /**
   * Compute the output with running statistics (head: judge it), and answer without numbers. `isSent`: the output
   * goes to the successor.
   */
  | { readonly effect: "evaluate"; readonly item: EvaluationItem<P>; readonly isSent: boolean }
  /** Answer without numbers. */
  | { readonly effect: "acknowledge"; readonly item: AnsweredItem<P> }
  /**
   * Answer without numbers, pass the barrier on where `isSent`, and save this very state, now: the network's
   * snapshot is made of it.
   */
  | {
      readonly effect: "snapshot";
      readonly item: BarrierItem<P>;
      readonly isSent: boolean;
      readonly at: Standing;
    }
  /** It is time for a checkpoint of this very state. */
  | { readonly effect: "checkpoint"; readonly at: Standing }
  /** Begin another life with a checkpoint from which `batch` is kept, or can be computed anew. */
  | { readonly effect: "goBack"; readonly batch: number }
  /**
   * The generator learns; `age` is in batches, 1 where the target was heard before the next batch was applied. Without a
   * target, as the answer was without numbers: free the evidence.
   */
  | {
      readonly effect: "learn";
      readonly batch: number;
      readonly ticket: number;
      readonly target: P["target"] | undefined;
      readonly age: number;
    }
  /** Unlocked: the generator of inputs learns what the input of this batch came to. */
  | { readonly effect: "correct"; readonly item: BatchItem<P>; readonly correction: P["correction"] }
  /** These answers will never come: free their evidence. */
  | { readonly effect: "forget"; readonly tickets: readonly number[] }
  | { readonly effect: "rewind"; readonly need: number }
  | { readonly effect: "hold" }
  | { readonly effect: "resume" };

/** The neighbour broke the protocol: hang up with this reason. */
export interface HangUp {
  readonly effect: "hangUp";
  readonly side: "predecessor" | "successor";
  readonly why: "window" | "answer" | "release";
  readonly reason: string;
}

/**
 * `ticket`: send the output to the successor (unlocked: as the correction of what was shown), and keep its
 * evidence under that number; undefined where it is not sent.
 */
type BatchEffect<P extends Payloads> =
  /** Learn this batch and answer with its input gradient. So many targets are learnt before it. */
  | {
      readonly effect: "update";
      readonly item: BatchItem<P>;
      readonly ticket: number | undefined;
      readonly learnt: number;
    }
  /** Answer with the input gradient at present weights; change nothing. */
  | { readonly effect: "rehearse"; readonly item: BatchItem<P>; readonly ticket: number | undefined }
  /** Answer, and send on, what was answered and sent of this batch before. */
  | { readonly effect: "repeat"; readonly item: BatchItem<P>; readonly ticket: number | undefined }
  /** Send on what was sent on of this batch before, or would have been. */
  | { readonly effect: "sendAgain"; readonly batch: number; readonly ticket: number }
  /** Unlocked: show the successor this batch, before anything is computed of it. */
  | { readonly effect: "preview"; readonly item: BatchItem<P> }
  /** Locked: compute the output and send it to the successor; answer later. */
  | { readonly effect: "passForward"; readonly item: BatchItem<P>; readonly ticket: number }
  /** Locked: backpropagate and answer; change the weights only where `learns`. */
  | {
      readonly effect: "passBackward";
      readonly item: BatchItem<P>;
      readonly ticket: number;
      readonly gradient: P["target"];
      readonly learns: boolean;
    };

/** In the order in which they come. */
type EndEffect =
  /** Tell the successor that no batch follows. */
  | { readonly effect: "end" }
  /** Save the end of the run, and say when it is durable. */
  | { readonly effect: "save"; readonly at: Standing }
  /** Tell the predecessor that this layer and all after it have saved. */
  | { readonly effect: "finished" }
  /** All layers have finished: pass the release on, and leave. */
  | { readonly effect: "release" };
