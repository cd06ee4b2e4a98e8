import type { TestResult } from "../wire/frames.ts";
import type { Speaker } from "./worker-name.ts";

/**
 * What the record of a run is made of: one JSON object a line in runs/<id>/metrics.ndjson (segments and evaluations) and
 * events.ndjson (events). Files are only appended to, so a life that starts from a checkpoint says again what an older
 * life had said of the same batches: read them with `standing`, never as they lie.
 */
export type MetricLine = Segment | Evaluation;

interface Said {
  /** "hub" and "train" say events only. */
  readonly worker: Speaker;
  /** Number of its life, from 1; 0 for "hub" and "train". */
  readonly incarnation: number;
  /** Milliseconds since 1970, by the worker's own clock. */
  readonly at: number;
}

/**
 * Batches `first` to `last`, both included, applied one after the other by one life (source: sent). Segments of one life
 * are disjoint, in order, without holes, and none reaches across a checkpoint: so a life that begins at a checkpoint
 * replaces whole segments of older lives, those with `first` at or above its own first. (The first of a life may be what an
 * older one had not brought to a hub when it saved; a source has no checkpoints: what older lives of it say is cut where
 * a newer one begins. It says nothing of batches that it sends again after a rewind.)
 */
export interface Segment extends Said {
  readonly kind: "segment";
  readonly first: number;
  readonly last: number;
  /** From the end of the segment before (or of waiting) to the end of this one. */
  readonly spanMs: number;
  /** Head: mean training loss. */
  readonly loss?: number;
  /** Hidden layers: Σ|guess − target|² / Σ|target|² over targets heard meanwhile; 1 is no better than guessing zero. */
  readonly generatorError?: number;
  /** Hidden layers: Σ guess·target / (|guess| |target|), over the same. */
  readonly cosine?: number;
  /** Hidden layers: mean age of those targets, in batches; and how many they were. */
  readonly staleness?: number;
  readonly targets?: number;
}

/**
 * By the head, on all held-out data, between batch − 1 and batch: the segment before ends at batch − 1. Of several with the
 * same batch the one of the newest life counts, and of one life the last; those of older lives with `batch` above the
 * first batch of a newer one do not count.
 */
export interface Evaluation extends Said {
  readonly kind: "evaluation";
  readonly batch: number;
  readonly test: TestResult;
}

export interface EventLine extends Said {
  readonly kind: "event";
  readonly name: EventName;
  /** The worker that it is about, where "hub" or "train" says it. */
  readonly about?: Speaker;
  /** Cursor at that moment, where there is one; for "restored": of the checkpoint. */
  readonly batch?: number;
  /** One short phrase for people: "lost successor: 1006 …". */
  readonly text: string;
}

export type EventName =
  /** A life began, from nothing; or from a checkpoint. */
  | "began"
  | "restored"
  | "linked"
  | "lost"
  /** It has guessed for long enough, and waits for its successor; no longer. */
  | "held"
  | "continued"
  | "alarm"
  | "calm"
  /** It was told to; and to go on. */
  | "paused"
  | "resumed"
  /** What it sends to its successor leaves later than it could; no longer. */
  | "delayed"
  | "undelayed"
  | "finished"
  | "stopped"
  | "fenced"
  | "poisoned"
  /** It goes back to an earlier checkpoint, since a neighbour asked for what it does not keep. */
  | "rewound"
  /** What it learns from here on may differ from what it would have learnt if nothing had died. */
  | "inexact"
  /** Said by "train": how a process ended. */
  | "died"
  /** Said by "hub": nothing heard; heard again; it is gone and nobody listens at its port. */
  | "unreachable"
  | "back"
  | "dead"
  /** Said by "hub" of itself: it began (what was said meanwhile comes late, or is missing); or a command was given. */
  | "watching"
  | "command";
