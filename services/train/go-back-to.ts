import { findSnapshot, goBack, type Places } from "../../shared/checkpoint/go-back.ts";
import { configHash } from "../../shared/config/hash.ts";
import { workerNames } from "../../shared/record/worker-name.ts";
import { Refusal } from "./refusal.ts";
import { type RunFolder, runId } from "./run-folder.ts";
import { stateFolder } from "./worker-plan.ts";

/**
 * Sets a run back to its newest whole snapshot, of batch `most` at most; returns what to tell the user. No worker of
 * the run may be alive. If there is no such snapshot, throws a Refusal and changes nothing.
 */
export async function goBackTo(run: RunFolder, most: number, now: Date): Promise<string[]> {
  const places = placesOf(run);
  const { found, unfit } = await findSnapshot(places, most);
  const reasons = unfit.map(({ name, why }) => `snapshot ${name} cannot be used: ${why}`);
  if (!found)
    throw new Refusal([`Cannot go back: ${noneOf(run, most, unfit.length)}`, ...reasons].join("\n"));
  const aside = runId("aside", now);
  try {
    await goBack(places, found, aside);
  } catch (error) {
    throw new Refusal(`Cannot go back to ${found.manifest.snapshot}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { snapshot, batch } = found.manifest;
  return [...reasons, `back after ${batch} batches, to snapshot ${snapshot}; what came later is in ${aside}`];
}

/** Where a run of this machine keeps what its layers save. */
export function placesOf({ id, path, config }: RunFolder): Places {
  const layers = workerNames(config).slice(1);
  const states = layers.map((name) => stateFolder({ folder: path, name }));
  return { run: id, configHash: configHash(config), record: path, states };
}

function noneOf({ id }: RunFolder, most: number, unfit: number): string {
  const upTo = Number.isFinite(most) ? ` up to batch ${most}` : "";
  return unfit === 0 ? `${id} has no snapshot${upTo} yet` : `no snapshot of ${id}${upTo} is whole`;
}
