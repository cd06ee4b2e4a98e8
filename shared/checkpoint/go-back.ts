import { join } from "node:path";
import { type Checkpoint, requireIdentity } from "./checkpoint.ts";
import { type Disk, realDisk } from "./disk.ts";
import { claimIncarnation } from "./incarnation.ts";
import { listManifests, type Manifest, readManifest } from "./snapshot-manifest.ts";
import { batchOf, snapshotsAmong } from "./snapshot-name.ts";
import { SNAPSHOT_ENDING, SNAPSHOTS, SnapshotStore } from "./snapshot-store.ts";
import { CheckpointStore } from "./store.ts";
import { moveInto } from "./whole-file.ts";

/** Where a run keeps what a snapshot is made of. */
export interface Places {
  readonly run: string;
  readonly configHash: string;
  /** With the manifests in snapshots/. */
  readonly record: string;
  /** Of each layer's checkpoints and claims, layer 1 first. */
  readonly states: readonly string[];
}

/** A whole snapshot: every file was read, and is what its manifest says. */
interface Found {
  readonly manifest: Manifest;
  /** Layer 1 first. */
  readonly shares: readonly Checkpoint[];
}

/**
 * The newest snapshot whose files all verify, of batch `most` at most; and what is wrong with each newer one. Changes
 * nothing.
 */
export async function findSnapshot(
  places: Places,
  most = Number.POSITIVE_INFINITY,
  disk: Disk = realDisk,
): Promise<{ readonly found: Found | undefined; readonly unfit: readonly { name: string; why: string }[] }> {
  const unfit: { name: string; why: string }[] = [];
  const names = await listManifests(join(places.record, SNAPSHOTS), disk);
  for (const name of names.filter((each) => batchOf(each) <= most)) {
    try {
      return { found: await verify(places, name, disk), unfit };
    } catch (error) {
      unfit.push({ name, why: (error as Error).message });
    }
  }
  return { found: undefined, unfit };
}

/** Throws with what is wrong with it. */
async function verify({ run, configHash, record, states }: Places, name: string, disk: Disk): Promise<Found> {
  const manifest = await readManifest(join(record, SNAPSHOTS), name, disk);
  if (manifest.run !== run) throw new Error(`it is of run ${manifest.run}, this is run ${run}`);
  if (manifest.configHash !== configHash) throw new Error("it is of another configuration");
  if (manifest.layers.length !== states.length)
    throw new Error(`it is of ${manifest.layers.length} layers, the network has ${states.length}`);
  const shares: Checkpoint[] = [];
  for (const [index, state] of states.entries()) {
    const layer = index + 1;
    const { checkpoint, digest } = await new SnapshotStore(state, disk).read(name).catch((error: Error) => {
      throw new Error(`layer ${layer}: ${error.message}`, { cause: error });
    });
    requireIdentity(checkpoint, { run, layer, configHash });
    const stated = manifest.layers[index]!;
    if (stated.layer !== layer || stated.digest !== digest)
      throw new Error(`layer ${layer}: its file is another than the manifest says`);
    if (checkpoint.cursor !== manifest.batch - 1)
      throw new Error(`layer ${layer}: it is at batch ${checkpoint.cursor}, expected ${manifest.batch - 1}`);
    shares.push(checkpoint);
  }
  return { manifest, shares };
}

/**
 * Makes every layer begin with this snapshot at its next start, in a life above all before; nobody of the run may be
 * alive. Whatever else there is of checkpoints, and of later snapshots, goes into folders called `aside`, whole. Should
 * this be interrupted, some layers are at the snapshot and the others where they were, and the run can go on like that,
 * or this be done again.
 */
export async function goBack(
  { record, states }: Places,
  { manifest, shares }: Found,
  aside: string,
  disk: Disk = realDisk,
): Promise<void> {
  for (const [index, state] of states.entries()) {
    const incarnation = await claimIncarnation(state, disk);
    await new CheckpointStore(state, disk).goBack({ ...shares[index]!, incarnation }, aside);
    await setLaterAside(join(state, SNAPSHOTS), SNAPSHOT_ENDING, manifest.batch, aside, disk);
  }
  await setLaterAside(join(record, SNAPSHOTS), ".json", manifest.batch, aside, disk);
}

async function setLaterAside(
  folder: string,
  ending: string,
  batch: number,
  aside: string,
  disk: Disk,
): Promise<void> {
  const later = snapshotsAmong(await disk.list(folder), ending).filter((name) => batchOf(name) > batch);
  await moveInto(
    disk,
    folder,
    aside,
    later.map((name) => `${name}${ending}`),
  );
}
