import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * When the process with this number started, as a word; undefined if there is none that runs (a dead one whose
 * parent has not looked yet does not). Number and start together name one process: numbers are used again.
 */
export function startOfProcess(pid: number): string | undefined {
  return fromProcFolder(pid) ?? fromPs(pid);
}

const HAS_PROC_FOLDER = readText("/proc/self/stat") !== undefined;

function fromProcFolder(pid: number): string | undefined {
  // The second field is the program's name in parentheses, and may hold anything, parentheses too.
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields === undefined || isDead(fields[0]!) ? undefined : fields[19];
}

function fromPs(pid: number): string | undefined {
  if (HAS_PROC_FOLDER) return undefined;
  try {
    const options = { encoding: "utf8", env: { PATH: "/bin:/usr/bin", LC_ALL: "C" } } as const;
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], options).trim();
    const [state = "", ...start] = line.split(/\s+/);
    return line === "" || isDead(state) ? undefined : start.join("-").replace(/[^\w-]/g, "");
  } catch {
    return undefined;
  }
}

function isDead(state: string): boolean {
  return /^[ZX]/.test(state);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** In a run's folder: the right of one process to train it. */
export function lockName(pid: number, started: string): string {
  return `train.${pid}.${started}.lock`;
}

/** The number of the living process that trains the run; undefined if none does. */
export function trainerOf(folder: string): number | undefined {
  const holders = readdirSync(folder).flatMap((name) => {
    const { pid, started } = holderOf(name) ?? {};
    return pid !== undefined && startOfProcess(pid) === started ? [pid] : [];
  });
  return holders[0];
}

/** Undefined for the name of another file. */
export function holderOf(name: string): { readonly pid: number; readonly started: string } | undefined {
  const [, pid, started] = /^train\.(\d+)\.([\w-]+)\.lock$/.exec(name) ?? [];
  return pid === undefined || started === undefined ? undefined : { pid: Number(pid), started };
}
