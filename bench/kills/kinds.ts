/** What layers are in turn. */
export const ALL = "as it is";
/** A worker that dies leaves a trace there. */
export const NOTHING = "nothing kept, no order written";
export const NO_ORDER = "no order written";
/** What two turns differ by when nothing differs. */
export const CONTROL = "as it is, another turn";
export const NAMES = [NOTHING, NO_ORDER, ALL, CONTROL] as const;

export type Name = (typeof NAMES)[number];

/** The variable of the environment that names the file that says which. */
export const KIND_FILE = "UNLOCKED_BENCH_KIND";
