import { realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { RunFolder } from "../../train/run-folder.ts";
import { findRun } from "../find-run.ts";

/** A run that is there, whether or not it trains. Throws a Refusal or a ConfigError. */
export function runAt(runs: string, wanted: string | undefined): RunFolder {
  const path = realpathSync(findRun(runs, wanted));
  return { id: basename(path), path, config: loadConfig(join(path, "config.yaml")).config };
}
