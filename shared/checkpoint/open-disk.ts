import { setTimeout as pause } from "node:timers/promises";
import { type Disk, realDisk } from "./disk.ts";
import type { Folder } from "./folder-flag.ts";
import { type Home, MirroredDisk } from "./mirrored-disk.ts";
import { type ObjectStore, StoreError } from "./object-store.ts";
import { openS3, type S3Environment } from "./s3-store.ts";

const AGAIN_MS = 1000;
const PATIENCE_MS = 120_000;

/**
 * The disk of a process that keeps its state in these folders. Waits for a store that does not answer yet, and says so with
 * `waiting`; rejects where waiting is of no use, or was not for two minutes.
 */
export async function openDisk(
  folders: readonly Folder[],
  environment: S3Environment,
  waiting: (why: Error) => void,
): Promise<Disk> {
  const homes: Home[] = [];
  for (const { folder, url } of folders) {
    if (url === undefined) continue;
    homes.push({ folder, store: await openStore(url, environment, waiting) });
  }
  return homes.length === 0 ? realDisk : new MirroredDisk(realDisk, homes);
}

/** The same, of one store. */
export async function openStore(
  url: string,
  environment: S3Environment,
  waiting: (why: Error) => void,
): Promise<ObjectStore> {
  const store = openS3(url, environment);
  await answers(store, waiting);
  return store;
}

async function answers(store: ObjectStore, waiting: (why: Error) => void): Promise<void> {
  for (const began = performance.now(); ; await pause(AGAIN_MS)) {
    try {
      await store.list("");
      return;
    } catch (error) {
      const isHopeless = error instanceof StoreError && error.isHopeless;
      if (isHopeless || performance.now() - began > PATIENCE_MS)
        throw new Error(`Cannot start: ${(error as Error).message}`, { cause: error });
      waiting(error as Error);
    }
  }
}
