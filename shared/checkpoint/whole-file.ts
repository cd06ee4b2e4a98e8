import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "./disk.ts";

/**
 * Writes elsewhere, makes it durable, then gives it its name: a reader finds a whole file or none. The name itself
 * is durable once the folder is synced. Where `mayBeNamed` rejects, it never gets it.
 */
export async function writeWhole(
  disk: Disk,
  folder: string,
  name: string,
  bytes: Uint8Array,
  mayBeNamed?: () => Promise<void>,
): Promise<void> {
  // A name of its own for every attempt: after a failed fsync the kernel may call the same pages clean, so the same
  // file must never be tried again.
  const temporary = join(folder, `${name}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeSynced(disk, temporary, bytes);
    await mayBeNamed?.();
    await disk.rename(temporary, join(folder, name));
  } catch (error) {
    // If even this fails, the next tidying of the folder removes it.
    await disk.remove(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeSynced(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.create(path);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Moves files of a folder into one within it, durably. */
export async function moveInto(
  disk: Disk,
  folder: string,
  within: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await disk.makeFolder(join(folder, within));
  for (const name of names) await disk.rename(join(folder, name), join(folder, within, name));
  await disk.syncFolder(join(folder, within));
  await disk.syncFolder(folder);
}
