import { type Checkpoint, decodeCheckpoint, requireIdentity } from "./checkpoint.ts";
import { type Disk, realDisk } from "./disk.ts";
import { findSnapshot, type Places } from "./go-back.ts";
import { listCheckpoints } from "./store.ts";

/** All layers of a run, as they were saved at one batch. */
export interface SavedNetwork {
  /** Every layer had learnt 0 … batch − 1. */
  readonly batch: number;
  /** Layer 1 first. */
  readonly layers: readonly Checkpoint[];
}

/**
 * What a run is worth by now: of the newest batch at which every layer saved itself, in a checkpoint or for a snapshot.
 * Undefined where there is none yet. Changes nothing, so that the run may be training.
 */
export async function newestNetwork(
  places: Places,
  disk: Disk = realDisk,
): Promise<SavedNetwork | undefined> {
  const { found } = await findSnapshot(places, Number.POSITIVE_INFINITY, disk);
  const snapshot = found && { batch: found.manifest.batch, layers: found.shares };
  const lists = await Promise.all(
    places.states.map((folder) => listCheckpoints(folder, disk).catch(noneYet)),
  );
  const [first, ...others] = lists;
  const common = [...first!.keys()].filter((cursor) => others.every((files) => files.has(cursor)));
  for (const cursor of common) {
    if (snapshot && cursor < snapshot.batch) break;
    const files = lists.map((each) => each.get(cursor)!);
    const layers = await readAll(places, files, disk);
    if (layers) return { batch: cursor + 1, layers };
  }
  return snapshot;
}

function noneYet(error: NodeJS.ErrnoException): ReadonlyMap<number, string> {
  if (error.code === "ENOENT") return new Map();
  throw error;
}

/** Undefined where one is gone by now, or damaged. */
async function readAll(
  { run, configHash }: Places,
  files: readonly string[],
  disk: Disk,
): Promise<readonly Checkpoint[] | undefined> {
  try {
    return await Promise.all(
      files.map(async (file, index) => {
        const checkpoint = decodeCheckpoint(await disk.read(file));
        requireIdentity(checkpoint, { run, layer: index + 1, configHash });
        return checkpoint;
      }),
    );
  } catch {
    return undefined;
  }
}
