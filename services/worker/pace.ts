import type { WorkerOptions } from "./options.ts";

/** How often a worker looks at its state folder and saves into it. */
export interface Pace {
  /** Between two looks at who has claimed it. */
  readonly lookMs: number;
  /** At least, from one checkpoint to the next. */
  readonly saveMs: number;
}

const FOLDER: Pace = { lookMs: 500, saveMs: 0 };
/** A request to a store costs both ends milliseconds of a processor, and its tenant money. */
const STORE: Pace = { lookMs: 1500, saveMs: 5000 };

export function paceOf({ state, folders }: Pick<WorkerOptions, "state" | "folders">): Pace {
  return folders.some(({ folder, url }) => folder === state && url !== undefined) ? STORE : FOLDER;
}
