import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Summary } from "../../shared/record/summary.ts";

interface Started {
  /** From the call of npm to the end of its process. */
  readonly seconds: number;
  /** From the call of npm to the first update of the last layer. */
  readonly toFirstUpdate: number;
  /** From there to the last layer's last batch, evaluations included. */
  readonly training: number;
  readonly summary: Summary;
}

/** `npm start`, as a user calls it, in a folder of its own; the default config unless one is named. */
export async function npmStart(set: readonly string[], config?: string): Promise<Started> {
  const runs = mkdtempSync(join(tmpdir(), "unlocked-bench-"));
  const overrides = set.flatMap((assignment) => ["--set", assignment]);
  const startedAt = Date.now();
  const child = spawn(
    "npm",
    ["start", "--", ...(config ? [config] : []), "--runs", runs, "--quiet", ...overrides],
    { stdio: "ignore" },
  );
  const [code] = await once(child, "close");
  const seconds = (Date.now() - startedAt) / 1000;
  try {
    if (code !== 0) throw new Error(`npm start ended with ${code}`);
    const folder = join(runs, "latest");
    const summary = JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")) as Summary;
    const log = readFileSync(join(folder, "logs", `layer${summary.layers.length}.log`), "utf8");
    const [first, last] = [timeOf(log, "training"), timeOf(log, "finished")];
    return { seconds, toFirstUpdate: (first - startedAt) / 1000, training: (last - first) / 1000, summary };
  } finally {
    rmSync(runs, { recursive: true });
  }
}

/** When the layer first said this: "training" at its first batch, "finished" when its last is durable. */
function timeOf(log: string, message: string): number {
  const lines = log.split("\n").filter((line) => line.startsWith("{"));
  const first = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === message);
  return Date.parse(first?.time);
}
