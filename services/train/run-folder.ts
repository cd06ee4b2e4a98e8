import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { workerNames } from "../../shared/record/worker-name.ts";
import { Refusal } from "./refusal.ts";
import { secretFile, stateFolder } from "./worker-plan.ts";

/** runs/<id>: config.yaml, data.json, logs/, checkpoints/<worker>/, while it is trained secret, and at the end summary.json. */
export interface RunFolder {
  readonly id: string;
  readonly path: string;
  readonly config: Config;
}

const LATEST = "latest";

export function runId(name: string, now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${name}-${day}-${time}`;
}

export function logFile(folder: string, worker: string): string {
  return join(folder, "logs", `${worker}.log`);
}

/** A new folder under `runs`; its id gets a suffix when it is taken. Throws a Refusal when it cannot be made, and leaves nothing. */
export function createRun(runs: string, config: Config, now: Date): RunFolder {
  try {
    mkdirSync(runs, { recursive: true });
    const id = claimId(runs, runId(config.name, now));
    const run = { id, path: join(runs, id), config };
    return orRemoved(run, () => {
      mendRun(run);
      writeFileSync(join(run.path, "config.yaml"), canonicalYaml(config));
      writeFileSync(join(run.path, "data.json"), `${JSON.stringify(dataFacts(config.data), null, 2)}\n`);
      return run;
    });
  } catch (error) {
    throw new Refusal(`Cannot create a run in ${runs}: ${(error as Error).message}`, { cause: error });
  }
}

/** What `prepare` gives. Where that throws, the folder goes with what is in it: of a run that has not begun nothing is lost. */
export function orRemoved<T>({ path }: RunFolder, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
}

function claimId(runs: string, wanted: string): string {
  for (let suffix = 1; ; suffix++) {
    const id = suffix === 1 ? wanted : `${wanted}-${suffix}`;
    try {
      mkdirSync(join(runs, id));
      return id;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** runs/latest leads to the newest run; at every moment it leads to the old one or the new one. */
export function pointLatest(runs: string, id: string): void {
  const temporary = join(runs, `.${LATEST}.${randomBytes(4).toString("hex")}`);
  try {
    symlinkSync(id, temporary);
    renameSync(temporary, join(runs, LATEST));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Refusal(`Cannot point ${join(runs, LATEST)} at ${id}: ${(error as Error).message}`);
  }
}

export function isLatest(runs: string, id: string): boolean {
  try {
    return basename(realpathSync(join(runs, LATEST))) === id;
  } catch {
    return false;
  }
}

/**
 * A run to go on with: `wanted` is an id under `runs` or the path of its folder, the latest if not given. Throws a
 * Refusal when there is none or it has finished, a ConfigError when its config.yaml cannot be used.
 */
export function openRun(runs: string, wanted: string | undefined): RunFolder {
  const folder = wanted?.includes("/") ? wanted : join(runs, wanted ?? LATEST);
  if (wanted === undefined && !existsSync(folder)) {
    throw new Refusal(`Cannot resume: there is no run in ${runs} yet`);
  }
  if (!existsSync(join(folder, "config.yaml"))) {
    throw new Refusal(`Cannot resume ${wanted ?? folder}: no run there (no ${join(folder, "config.yaml")})`);
  }
  const id = basename(realpathSync(folder));
  const path = join(dirname(folder), id);
  if (existsSync(join(path, "summary.json"))) {
    throw new Refusal(`Cannot resume ${id}: it has finished, see ${join(path, "summary.json")}`);
  }
  return { id, path, config: loadConfig(join(path, "config.yaml")).config };
}

/** Makes what a run's folder should hold and somebody may have removed. */
export function mendRun({ path, config }: RunFolder): void {
  mkdirSync(join(path, "logs"), { recursive: true });
  for (const name of workerNames(config)) mkdirSync(stateFolder({ folder: path, name }), { recursive: true });
}

/**
 * A new secret for the workers about to be started: a worker left over from an earlier start does not know it. Only
 * the user may read the file. Throws a Refusal when it cannot be written. Returns how to remove it.
 */
export function makeSecret({ path }: Pick<RunFolder, "path">): () => void {
  const file = secretFile({ folder: path });
  const remove = () => rmSync(file, { force: true });
  try {
    // What is left of a killed run might be open to others, and writing to it would leave it so.
    remove();
    writeFileSync(file, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    return remove;
  } catch (error) {
    throw new Refusal(`Cannot write the run's secret: ${(error as Error).message}`, { cause: error });
  }
}
