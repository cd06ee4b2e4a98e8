import { existsSync } from "node:fs";
import { join } from "node:path";
import { runIds } from "../../shared/record/files/run-files.ts";
import { Refusal } from "../train/refusal.ts";

const NAMED = 5;

/**
 * The folder of a run: `wanted` is its id or the beginning of one, "latest", or the path of a folder; the newest if not
 * given. Throws a Refusal that names the newest where there is no such run, or several.
 */
export function findRun(runs: string, wanted?: string): string {
  if (wanted?.includes("/")) return requireRun(wanted);
  const ids = runIds(runs);
  if (ids.length === 0) throw new Refusal(`Cannot find a run: there is none in ${runs} yet`);
  if (wanted === undefined || wanted === "latest") return join(runs, ids[0]!);
  if (ids.includes(wanted)) return join(runs, wanted);
  const meant = ids.filter((id) => id.startsWith(wanted));
  if (meant.length === 1) return join(runs, meant[0]!);
  const found = meant.length > 1 ? `${meant.length} begin so: ` : `there is none in ${runs}; the newest are `;
  throw new Refusal(
    `Cannot find run ${wanted}: ${found}${(meant.length > 1 ? meant : ids).slice(0, NAMED).join(", ")}`,
  );
}

function requireRun(folder: string): string {
  if (existsSync(join(folder, "config.yaml"))) return folder;
  throw new Refusal(`Cannot find a run in ${folder}: no ${join(folder, "config.yaml")}`);
}
