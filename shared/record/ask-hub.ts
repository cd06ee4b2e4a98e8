import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { startOf } from "./files/run-files.ts";
import type { RunView } from "./hub-api.ts";

/** What a hub said of a run. */
export interface AskedHub {
  /** Its address. */
  readonly hub: string;
  readonly view: RunView;
}

const ASK_MS = 1_500;

/** Where the page of a run that is watched was said to be. */
export function dashboardOf(folder: string): string | undefined {
  try {
    return new URL(readFileSync(join(folder, "dashboard"), "utf8").trim()).origin;
  } catch {
    return undefined;
  }
}

/** Asks the hub that watches the run in this folder. Undefined where none does, or answers: the files say what is known. */
export async function askHub(folder: string): Promise<AskedHub | undefined> {
  const hub = dashboardOf(folder);
  if (hub === undefined) return undefined;
  const view = await get(`${hub}/api/runs/${encodeURIComponent(basename(resolve(folder)))}`);
  if (view !== undefined) return { hub, view };
  // Its folder may be called otherwise than the run. That it began in the same instant tells that it is the same.
  const watched = await get(`${hub}/api/runs/latest`);
  return watched && Date.parse(watched.row.startedAt) === startOf(folder)
    ? { hub, view: watched }
    : undefined;
}

async function get(address: string): Promise<RunView | undefined> {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(ASK_MS) });
    return answer.ok ? ((await answer.json()) as RunView) : undefined;
  } catch {
    return undefined;
  }
}
