import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { holderOf, lockName, startOfProcess } from "../../shared/record/trainer.ts";
import { Refusal } from "./refusal.ts";

/** The right to train a run, held by at most one living process. */
interface RunLock {
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
  const own = lockName(pid, started);
  closeSync(openSync(join(folder, own), "w"));
  const release = () => rmSync(join(folder, own), { force: true });
  const holder = clearDead(folder, own);
  if (holder === undefined) return { release };
  release();
  throw new Refusal(`Cannot train ${folder}: process ${holder} is training it`);
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
