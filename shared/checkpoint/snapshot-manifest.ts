import { join } from "node:path";
import * as z from "zod";
import { type Disk, realDisk } from "./disk.ts";
import { batchOf, snapshotsAmong } from "./snapshot-name.ts";
import { writeWhole } from "./whole-file.ts";

/** A snapshot of the whole network, each layer's share in the folder of its state: `snapshots/<name>.json`. */
export interface Manifest {
  readonly run: string;
  readonly snapshot: string;
  /** What was learnt is 0 … batch − 1, by every layer. */
  readonly batch: number;
  readonly configHash: string;
  readonly savedAt: string;
  /** From layer 1 to the head: SHA-256, hex, of the file. */
  readonly layers: readonly { readonly layer: number; readonly digest: string }[];
  /** On held-out data, where it was evaluated at this very batch. */
  readonly test?: { readonly loss: number; readonly error: number; readonly exact?: number };
}

/** So many of them stay, the newest. */
const MANIFESTS_KEPT = 2;
const ENDING = ".json";

const shape = z.object({
  run: z.string(),
  snapshot: z.string(),
  batch: z.int().min(1),
  configHash: z.string(),
  savedAt: z.string(),
  layers: z.array(z.object({ layer: z.int().min(1), digest: z.string() })),
  test: z.object({ loss: z.number(), error: z.number(), exact: z.number().optional() }).optional(),
});

/**
 * For who has just claimed the run: what former lives have not yet given its name will never get it, since they looked
 * at the claims after they wrote it (`writeManifest`). So there are never more manifests than those that stay, newest first.
 */
export async function takeOverManifests(folder: string, disk: Disk = realDisk): Promise<string[]> {
  await disk.makeFolder(folder);
  for (const name of (await disk.list(folder)).filter(isUnfinished))
    await removeIfThere(disk, join(folder, name));
  // A life that died while it wrote may have left one too many, or removed one whose name can still come back.
  await disk.syncFolder(folder);
  return listManifests(folder, disk);
}

async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    // Its writer was quicker: it has its name, or is removed.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** The names of a run's snapshots, newest first; none where there is no folder. */
export async function listManifests(folder: string, disk: Disk = realDisk): Promise<string[]> {
  try {
    return snapshotsAmong(await disk.list(folder), ENDING);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Throws with what is wrong with it, or what the disk says. */
export async function readManifest(folder: string, name: string, disk: Disk = realDisk): Promise<Manifest> {
  const bytes = await disk.read(join(folder, `${name}${ENDING}`));
  const { test, ...rest } = shape.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  if (rest.snapshot !== name) throw new Error(`it is of ${rest.snapshot}`);
  if (rest.batch !== batchOf(name)) throw new Error(`it is of batch ${rest.batch}`);
  if (test === undefined) return rest;
  const { exact, ...result } = test;
  return { ...rest, test: exact === undefined ? result : { ...result, exact } };
}

/**
 * Resolves when it is durable, and only then older ones are gone, but the last of them. The names that stay, newest first.
 * `requireOffice` rejects where a newer life has claimed the run: then there is no manifest.
 */
export async function writeManifest(
  folder: string,
  manifest: Manifest,
  disk: Disk = realDisk,
  requireOffice?: () => Promise<void>,
): Promise<string[]> {
  await disk.makeFolder(folder);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeWhole(disk, folder, `${manifest.snapshot}${ENDING}`, Buffer.from(text), requireOffice);
  await disk.syncFolder(folder);
  return tidyManifests(folder, disk);
}

/** Removes all but the newest. The names that stay, newest first. */
export async function tidyManifests(folder: string, disk: Disk = realDisk): Promise<string[]> {
  const names = await disk.list(folder);
  const stay = snapshotsAmong(names, ENDING).slice(0, MANIFESTS_KEPT);
  const old = names.filter((name) => !stay.includes(name.slice(0, -ENDING.length)));
  for (const name of old.filter(isOurs)) await disk.remove(join(folder, name));
  // Layers remove theirs on this word: no manifest may come back that would miss them.
  await disk.syncFolder(folder);
  return stay;
}

/** What is set aside, or somebody put there, is left alone. */
function isOurs(name: string): boolean {
  return /^\d{9,16}-[0-9a-f]{8}\.json$/.test(name) || isUnfinished(name);
}

function isUnfinished(name: string): boolean {
  return /^\d{9,16}-[0-9a-f]{8}\.json\.[0-9a-f]{8}\.tmp$/.test(name);
}
