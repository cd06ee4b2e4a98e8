import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startOfProcess } from "./process-identity.ts";
import { Refusal } from "./refusal.ts";

/** The right to train a run, held by at most one living process. */
export interface RunLock {
  readonly release: () => void;
}

/**
 * For process `pid`, which must be alive. Throws a Refusal when another living process holds it; what dead ones left
 * behind is removed. Of two that come in the same instant both may be refused, never both let in: each makes its own
 * file first and looks for others after.
 */
export function lockRun(folder: string, pid: number): RunLock {
  const started = startOfProcess(pid);
  if (started === undefined) throw new Error(`Cannot lock ${folder}: no process ${pid}`);
  const own = `train.${pid}.${started}.lock`;
  closeSync(openSync(join(folder, own), "w"));
  const release = () => rmSync(join(folder, own), { force: true });
  const holder = clearDead(folder, own);
  if (holder === undefined) return { release };
  release();
  throw new Refusal(`Cannot train ${folder}: process ${holder} is training it`);
}

/** The number of the living process that trains the run; undefined if none does. */
export function trainerOf(folder: string): number | undefined {
  const holders = readdirSync(folder).flatMap((name) => {
    const { pid, started } = holderOf(name) ?? {};
    return pid !== undefined && startOfProcess(pid) === started ? [pid] : [];
  });
  return holders[0];
}

function holderOf(name: string): { readonly pid: number; readonly started: string } | undefined {
  const [, pid, started] = /^train\.(\d+)\.([\w-]+)\.lock$/.exec(name) ?? [];
  return pid === undefined || started === undefined ? undefined : { pid: Number(pid), started };
}

/** Removes the files of dead processes; the number of a living one, if there is one. */
function clearDead(folder: string, own: string): number | undefined {
  let holder: number | undefined;
  for (const name of readdirSync(folder)) {
    const found = holderOf(name);
    if (found === undefined || name === own) continue;
    if (startOfProcess(found.pid) === found.started) holder = found.pid;
    else rmSync(join(folder, name), { force: true });
  }
  return holder;
}
