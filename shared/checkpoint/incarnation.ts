import { join } from "node:path";
import { type Disk, realDisk } from "./disk.ts";

const KEPT = 8;

/**
 * A number that no process ever got, or will get, from this folder; higher than all before it; 1 is the first.
 * Needs neither clock nor lock: the file `incarnation.N` is created or it was there. Throws when the folder cannot be
 * read or written.
 */
export async function claimIncarnation(folder: string, disk = realDisk): Promise<number> {
  try {
    await disk.makeFolder(folder);
    const claimed = await claimNext(disk, folder);
    await disk.syncFolder(folder);
    await prune(disk, folder);
    return claimed;
  } catch (error) {
    throw new Error(`Cannot claim an incarnation in ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Whether a newer life than this one has been claimed: then that one is in office. Rejects if the folder cannot be read. */
export async function isReplaced(folder: string, incarnation: number, disk = realDisk): Promise<boolean> {
  return isReplacedIn(await disk.list(folder), incarnation);
}

/** The same, of the names in the folder. */
export function isReplacedIn(names: readonly string[], incarnation: number): boolean {
  return highest(names) > incarnation;
}

async function claimNext(disk: Disk, folder: string): Promise<number> {
  for (;;) {
    const next = highest(await disk.list(folder)) + 1;
    if (!(await create(disk, join(folder, `incarnation.${next}`)))) continue;
    // While we were between the two calls, others may have claimed and pruned this very number; whoever prunes it
    // leaves KEPT higher ones.
    if (highest(await disk.list(folder)) < next + KEPT) return next;
  }
}

// Checkpoints count too: should somebody clear the claims away, a new life must still not begin below its own past.
function highest(names: readonly string[]): number {
  const numbers = names.map((name) =>
    Number(/^(?:incarnation\.|checkpoint-)(\d+)(?:-|$)/.exec(name)?.[1] ?? 0),
  );
  return Math.max(0, ...numbers);
}

/** False if it was there. */
async function create(disk: Disk, path: string): Promise<boolean> {
  try {
    await (await disk.create(path)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function prune(disk: Disk, folder: string): Promise<void> {
  const claimed = (await disk.list(folder))
    .map((name) => Number(/^incarnation\.(\d+)$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((a, b) => b - a);
  for (const number of claimed.slice(KEPT)) await disk.remove(join(folder, `incarnation.${number}`));
}
