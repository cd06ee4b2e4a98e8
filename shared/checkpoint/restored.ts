import type { Checkpoint } from "./checkpoint.ts";

export interface Restored {
  readonly checkpoint: Checkpoint;
  readonly path: string;
  /** Since it was written, by the wall clock; for log lines only. */
  readonly ageMs: number;
}

/** A file that was not restored. */
export interface Skipped {
  readonly path: string;
  readonly why: string;
  /** It is called `path` + ".corrupt" now. Else the disk could not read it, and it is left as it is. */
  readonly isDamaged: boolean;
}

/** By a start that looks for its checkpoint. */
export interface Found {
  readonly restored: Restored | undefined;
  readonly skipped: readonly Skipped[];
  /** Whole and passed over, newest first. */
  readonly unfit: readonly Restored[];
}
