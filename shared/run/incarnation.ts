import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, syncFolder } from "./folder.ts";

const KEPT = 8;

/**
 * A number that no process ever got, or will get, from this folder; higher than all before it; 1 is the first.
 * Needs neither clock nor lock: the file `incarnation.N` is created or it was there. Throws when the folder cannot be
 * read or written.
 */
export async function claimIncarnation(folder: string): Promise<number> {
  try {
    await makeFolder(folder);
    const claimed = await claimNext(folder);
    await syncFolder(folder);
    await prune(folder);
    return claimed;
  } catch (error) {
    throw new Error(`Cannot claim an incarnation in ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function claimNext(folder: string): Promise<number> {
  for (;;) {
    const next = highest(await readdir(folder)) + 1;
    if (!(await create(join(folder, `incarnation.${next}`)))) continue;
    // While we were between the two calls, others may have claimed and pruned this very number; whoever prunes it
    // leaves KEPT higher ones.
    if (highest(await readdir(folder)) < next + KEPT) return next;
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
async function create(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function prune(folder: string): Promise<void> {
  const claimed = (await readdir(folder))
    .map((name) => Number(/^incarnation\.(\d+)$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((a, b) => b - a);
  for (const number of claimed.slice(KEPT)) await rm(join(folder, `incarnation.${number}`), { force: true });
}
