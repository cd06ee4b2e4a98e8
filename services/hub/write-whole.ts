import { renameSync, writeFileSync } from "node:fs";

/** All of it or nothing, however this process ends. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
