import type { Bench } from "./bench.ts";
import type { Subject } from "./subject.ts";

/** One claim of PROTOCOL.md, and how to find out. */
export interface Check {
  /** The heading it stands under. */
  readonly section: string;
  readonly claim: string;
  /** It is of no concern to other workers. */
  readonly concerns?: (subject: Subject) => boolean;
  /** Far less is usual. */
  readonly limitMs?: number;
  /** Throws a Broken where the worker does otherwise. */
  readonly run: (bench: Bench) => Promise<void>;
}

export const hasSuccessor = ({ isHead }: Subject): boolean => !isHead;
export const teaches = ({ isFirst }: Subject): boolean => !isFirst;
