import type { WorkerName } from "../worker-name.ts";

/** How often the process of a worker died, and what of that may be seen in the weights. */
export interface Recovery {
  readonly deaths: number;
  /** How many recoveries were not exact, as far as is known, and why the last of them was not. */
  readonly inexact?: { readonly count: number; readonly why: string };
}

/** Such as "17 deaths, no trace"; undefined where nothing is known to have died: what is down may not be back yet. */
export function deathWords(
  workers: readonly (Recovery & { readonly name: WorkerName })[],
): string | undefined {
  const deaths = workers.reduce((sum, worker) => sum + worker.deaths, 0);
  const said = deaths === 0 ? "no deaths" : deaths === 1 ? "1 death" : `${deaths} deaths`;
  const inexact = workers.filter((worker) => worker.inexact !== undefined);
  const last = inexact.at(-1);
  if (last === undefined) return deaths === 0 ? undefined : `${said}, no trace`;
  const count = inexact.reduce((sum, worker) => sum + worker.inexact!.count, 0);
  const which = count === 1 ? "1 recovery" : `${count} recoveries`;
  return `${said}; ${which} may have left a trace (${last.name}: ${last.inexact!.why})`;
}
