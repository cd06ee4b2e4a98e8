import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../shared/run/config.ts";
import { configHash } from "../../shared/run/config-hash.ts";
import { syncFolder } from "../../shared/run/folder.ts";
import type { LayerReport, TestResult } from "../../shared/wire/frames.ts";

/** What is left of a run when it is over: runs/<id>/summary.json. */
export interface Summary {
  readonly run: string;
  readonly config: Config;
  readonly seed: number;
  readonly startedAt: string;
  /** From the first start of the source to the end, pauses included. */
  readonly wallSeconds: number;
  readonly batches: number;
  readonly test: TestResult;
  readonly layers: readonly LayerReport[];
  readonly source: { readonly restarts: number };
  readonly versions: { readonly node: string };
}

/** When this run began: written by the first life of the source, read by later ones. */
export async function beginning(folder: string, now: Date): Promise<Date> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "started");
  try {
    await writeFile(path, now.toISOString(), { flag: "wx" });
    return now;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const began = new Date((await readFile(path, "utf8")).trim());
    return Number.isNaN(began.getTime()) ? now : began;
  }
}

/** True if a summary is there: the run is over, and no source may begin it again. Rejects if it is another run's. */
export async function isOver(folder: string, run: string, config: Config): Promise<boolean> {
  const path = join(folder, "summary.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  const found = JSON.parse(text) as Summary;
  refuseOther(path, "run", found.run, run);
  refuseOther(path, "config", configHash(found.config).slice(0, 12), configHash(config).slice(0, 12));
  return true;
}

function refuseOther(path: string, what: string, found: string, expected: string): void {
  if (found !== expected)
    throw new Error(`Cannot use record ${path}: its ${what} is ${found}, expected ${expected}`);
}

/** Whole or not at all. */
export async function writeSummary(folder: string, summary: Summary): Promise<void> {
  const temporary = join(folder, "summary.json.tmp");
  const file = await open(temporary, "w");
  try {
    await file.writeFile(`${JSON.stringify(summary, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, "summary.json"));
  await syncFolder(folder);
}
