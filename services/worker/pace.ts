import type { Config } from "../../shared/config/config.ts";
import type { WorkerOptions } from "./options.ts";

/** How often a worker looks at its state folder and saves into it. */
interface Pace {
  /** Between two looks at who has claimed it. */
  readonly lookMs: number;
  /** At least, from one checkpoint to the next. */
  readonly saveMs: number;
}

const FOLDER: Pace = { lookMs: 500, saveMs: 0 };
/** A request to a store costs both ends milliseconds of a processor, and its tenant money. */
const STORE: Pace = { lookMs: 1500, saveMs: 5000 };

export function paceOf({ config, options }: PacedStart): Pace {
  const { state, folders } = options;
  if (!folders.some(({ folder, url }) => folder === state && url !== undefined)) return FOLDER;
  // A pinned layer keeps of what it sent as much as its checkpoints need, so it must save each of them.
  return config.delivery.schedule === "free" ? STORE : { ...STORE, saveMs: 0 };
}

interface PacedStart {
  readonly config: Pick<Config, "delivery">;
  readonly options: Pick<WorkerOptions, "state" | "folders">;
}
