import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The token of a hub that was killed goes on: the page of its reader holds it. */
export function takeToken(folder: string): string {
  const path = join(folder, "control-token");
  try {
    const known = readFileSync(path, "utf8").trim();
    if (/^[0-9a-f]{64}$/.test(known)) return known;
  } catch {}
  rmSync(path, { force: true });
  const token = randomBytes(32).toString("hex");
  writeFileSync(path, `${token}\n`, { mode: 0o600, flag: "wx" });
  return token;
}
