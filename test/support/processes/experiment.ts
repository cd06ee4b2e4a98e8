import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Summary } from "../../../shared/record/summary.ts";
import { SecretWatch } from "../secrets/secret-watch.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** One line of a worker's log. */
export interface LogLine {
  readonly msg: string;
  readonly time: string;
  readonly level: string;
  readonly incarnation?: number;
  readonly batch?: number;
  readonly pid?: number;
  readonly [field: string]: unknown;
}

/**
 * `unlocked train` as a user would start it: real processes, in a folder of its own. `close` ends what is left of it,
 * searches all it wrote and printed for the secrets of its runs, and removes the folder.
 */
export class Experiment {
  readonly runs: string;
  readonly #child: ChildProcess;
  readonly #secrets: SecretWatch;
  #output = "";
  /** Exit code, and everything it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;

  constructor(
    config: string,
    options: {
      set?: readonly string[];
      resume?: boolean;
      runs?: string;
      options?: readonly string[];
      /** By `npm start`, to the letter. */
      byNpm?: boolean;
    } = {},
  ) {
    this.runs = options.runs ?? mkdtempSync(join(tmpdir(), "unlocked-runs-"));
    this.#secrets = new SecretWatch(this.runs);
    const set = (options.set ?? []).flatMap((assignment) => ["--set", assignment]);
    const more = options.options ?? [];
    const what = options.resume ? ["--resume", ...more] : [config, ...set, ...more];
    const args = [...what, "--runs", this.runs];
    const [program, ...first] = options.byNpm
      ? ["npm", "start", "--"]
      : [process.execPath, "services/start/run.cjs", "services/cli/main.ts", "train"];
    this.#child = spawn(program, [...first, ...args], { cwd: root, env: { ...process.env, CI: "1" } });
    const keep = (chunk: Buffer) => {
      this.#output += chunk.toString();
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        this.#secrets.stop();
        resolve({ code, output: this.#output });
      });
    });
  }

  get output(): string {
    return this.#output;
  }

  get folder(): string {
    return join(this.runs, "latest");
  }

  /** Throws with everything printed unless the run ended well. */
  async summary(): Promise<Summary> {
    const { code, output } = await this.ended;
    if (code !== 0) throw new Error(`the run ended with ${code}:\n${output}`);
    return JSON.parse(readFileSync(join(this.folder, "summary.json"), "utf8"));
  }

  /** Of every life so far; a line half written is left out. */
  log(worker: string): LogLine[] {
    const lines = readText(join(this.folder, "logs", `${worker}.log`)).split("\n");
    return lines.flatMap((line) => {
      try {
        return line.startsWith("{") ? [JSON.parse(line) as LogLine] : [];
      } catch {
        return [];
      }
    });
  }

  /** The first line of this worker's log, now or later, that is wanted. Rejects when the run ends without it. */
  async until(worker: string, wanted: (line: LogLine) => boolean): Promise<LogLine> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    for (;;) {
      const isLast = over;
      const found = this.log(worker).find(wanted);
      if (found) return found;
      if (isLast) throw new Error(`the run ended before ${worker} said it:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Pid of the life that lives now, as it said itself. */
  pid(worker: string): number {
    const pid = this.log(worker).findLast((line) => line.msg === "started")?.pid;
    if (!pid) throw new Error(`${worker} has not started`);
    return pid;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** npm ends without a word to whom it started. */
  #end(): void {
    const began = this.log("train").findLast(({ msg }) => msg === "train began");
    process.kill(began?.pid ?? this.#child.pid!, "SIGTERM");
  }

  /** Rejects, once all is gone, if a secret was shown. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#end();
    await this.ended;
    try {
      this.#secrets.expectNone(this.#output);
    } finally {
      rmSync(this.runs, { recursive: true, force: true });
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
