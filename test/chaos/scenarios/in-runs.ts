import { violations } from "../ledger-check.ts";
import { Rig, type RigOptions, RunOver } from "../rig.ts";

/**
 * Does `each` to one thing after another while a run flows, and to the rest in the next run when one ends; what was under
 * way at an end is done again. Gives what speaks against the ledgers of these runs, and how many there were.
 */
export async function inRuns<Thing>(
  things: readonly Thing[],
  options: RigOptions,
  each: (rig: Rig, thing: Thing) => Promise<void>,
): Promise<{ readonly violations: string[]; readonly runs: number }> {
  const left = [...things];
  const found: string[] = [];
  let runs = 0;
  while (left.length > 0) {
    const rig = await Rig.open({ ...options, seed: (options.seed ?? 1) + runs++ });
    try {
      await whileItRuns(rig, async () => {
        while (left.length > 0) {
          await rig.flows();
          await each(rig, left[0]!);
          left.shift();
        }
      });
      found.push(...violations(await rig.summary()));
    } finally {
      await rig.close();
    }
  }
  return { violations: found, runs };
}

/** Who is leaving because the run is over says nothing any more of what is waited for. */
async function whileItRuns(rig: Rig, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const hasLearntAll = rig.progress(rig.head)?.batch === rig.batches - 1;
    if (!(error instanceof RunOver) && !hasLearntAll) throw error;
  }
}
