import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** What was made on other days, for whoever goes back and forth between two states of the sources. */
const KEPT = 4;

/**
 * Makes `folder` by filling another beside it: the whole of it or nothing, and of its like beside it only the newest few
 * stay. Rejects where `fill` does, or the folder cannot be written.
 * @param {string} folder
 * @param {(temporary: string) => Promise<void>} fill
 */
export async function make(folder, fill) {
  const shelf = dirname(folder);
  mkdirSync(shelf, { recursive: true });
  const temporary = mkdtempSync(join(shelf, "new-"));
  try {
    await fill(temporary);
    // Whoever may read the packages may read this: in a container another user makes it than runs it.
    chmodSync(temporary, 0o755);
    renameSync(temporary, folder);
    clear(shelf, basename(folder));
  } catch (error) {
    // Somebody else was faster, and brought the same.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * What is in use is loaded; a worker that is started for it later, and finds it gone, is made of the files as they are.
 * @param {string} shelf
 * @param {string} newest
 */
function clear(shelf, newest) {
  const others = readdirSync(shelf).filter((name) => name !== newest);
  const ages = others.map((name) => ({ name, at: statSync(join(shelf, name)).mtimeMs }));
  ages.sort((one, other) => other.at - one.at);
  for (const { name } of ages.slice(KEPT - 1)) rmSync(join(shelf, name), { recursive: true, force: true });
}
