import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Telemetry } from "../../shared/run/telemetry.ts";
import type { LogLine } from "./experiment.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** One life of a layer or of the source without a command line over it: nobody restarts it but the test. */
export class Worker {
  readonly name: string;
  readonly lines: LogLine[] = [];
  /** Exit code; null if a signal ended it. Everything it said has been heard by then. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #listening: Promise<number>;
  readonly #heard = new Set<() => void>();
  #isOver = false;

  /** `args`: all of its flags; --log-format is json without being asked for. */
  constructor(name: string, args: readonly string[]) {
    this.name = name;
    const program = name === "source" ? "services/source/main.ts" : "services/layer/main.ts";
    const command = ["bin/run.mjs", program, ...args];
    this.#child = spawn(process.execPath, command, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
    this.#listening = new Promise((resolve) => {
      this.#child.on("message", (told: Telemetry) => {
        if (told.kind === "listening") resolve(told.port);
      });
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        this.#isOver = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  /** Once it listens. Rejects if it ends before. */
  async port(): Promise<number> {
    const never = this.ended.then((code) => {
      throw new Error(`${this.name} ended with ${code} before it listened:\n${this.#story()}`);
    });
    return Promise.race([this.#listening, never]);
  }

  /** The first line that is wanted, heard already or yet to come. Rejects if it ends without it. */
  async says(wanted: string | ((line: LogLine) => boolean)): Promise<LogLine> {
    const isWanted = typeof wanted === "string" ? (line: LogLine) => line.msg === wanted : wanted;
    for (;;) {
      const found = this.lines.find(isWanted);
      if (found) return found;
      if (this.#isOver) throw new Error(`${this.name} ended without saying it:\n${this.#story()}`);
      await new Promise<void>((resolve) => this.#heard.add(resolve));
    }
  }

  said(msg: string): LogLine[] {
    return this.lines.filter((line) => line.msg === msg);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  #wake(): void {
    for (const wake of this.#heard) wake();
    this.#heard.clear();
  }

  #story(): string {
    return this.lines.map((line) => JSON.stringify(line)).join("\n");
  }
}
