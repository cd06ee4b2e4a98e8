import { join } from "node:path";
import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import type { Config } from "../../shared/config/config.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { Summary } from "../../shared/record/summary.ts";

/** When this run began: written by the first life of the source, read by later ones. */
export async function beginning(folder: string, now: Date, disk = realDisk): Promise<Date> {
  await disk.makeFolder(folder);
  const path = join(folder, "started");
  try {
    await write(disk, path, now.toISOString());
    return now;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const began = new Date(textOf(await disk.read(path)).trim());
    return Number.isNaN(began.getTime()) ? now : began;
  }
}

/** True if a summary is there: the run is over, and no source may begin it again. Rejects if it is another run's. */
export async function isOver(folder: string, run: string, config: Config, disk = realDisk): Promise<boolean> {
  const path = join(folder, "summary.json");
  let text: string;
  try {
    text = textOf(await disk.read(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  const found = JSON.parse(text) as Summary;
  refuseOther(path, "run", found.run, run);
  refuseOther(path, "config", configHash(found.config).slice(0, 12), configHash(config).slice(0, 12));
  // Its writer may have died before the name was durable, and we are about to release the layers because of it.
  await disk.syncFolder(folder);
  return true;
}

function refuseOther(path: string, what: string, found: string, expected: string): void {
  if (found !== expected)
    throw new Error(`Cannot use record ${path}: its ${what} is ${found}, expected ${expected}`);
}

/** Whole or not at all. */
export async function writeSummary(folder: string, summary: Summary, disk = realDisk): Promise<void> {
  const temporary = join(folder, "summary.json.tmp");
  // A life before may have died while it wrote this.
  await disk.remove(temporary);
  await write(disk, temporary, `${JSON.stringify(summary, null, 2)}\n`);
  await disk.rename(temporary, join(folder, "summary.json"));
  await disk.syncFolder(folder);
}

/** A new file; rejects with EEXIST if it is there. */
async function write(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.create(path);
  try {
    await file.write(Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
