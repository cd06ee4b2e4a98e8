import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Listening, Telemetry } from "../../../shared/telemetry/telemetry.ts";
import type { LogLine } from "./experiment.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** One life of a layer or of the source without a command line over it: nobody restarts it but the test. */
export class Worker {
  readonly name: string;
  readonly lines: LogLine[] = [];
  /** What it told whoever started it, and when (of performance.now()). */
  readonly told: { readonly at: number; readonly telemetry: Telemetry }[] = [];
  /** Exit code; null if a signal ended it. Everything it said has been heard by then. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #heard = new Set<() => void>();
  #stderr = "";
  #isOver = false;

  /** `args`: all of its flags; --log-format is json without being asked for. `command`: what Node is to run. */
  constructor(name: string, args: readonly string[], command: readonly string[] = commandOf(name)) {
    this.name = name;
    this.#child = spawn(process.execPath, [...command, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
    this.#child.stderr!.on("data", (bytes: Buffer) => {
      this.#stderr += bytes;
      process.stderr.write(bytes);
    });
    this.#child.on("message", (telemetry: Telemetry) => {
      this.told.push({ at: performance.now(), telemetry });
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        this.#isOver = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  /** What it printed there, which is shown as well. */
  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Once it listens. Rejects if it ends before. */
  async port(): Promise<number> {
    const { telemetry } = await this.tells(({ kind }) => kind === "listening");
    return (telemetry as Listening).port;
  }

  /** The first telemetry that is wanted, heard already or yet to come. Rejects if it ends without it. */
  tells(wanted: (telemetry: Telemetry) => boolean): Promise<Worker["told"][number]> {
    return this.#first(this.told, ({ telemetry }) => wanted(telemetry));
  }

  /** The first line that is wanted, heard already or yet to come. Rejects if it ends without it. */
  says(wanted: string | ((line: LogLine) => boolean)): Promise<LogLine> {
    return this.#first(
      this.lines,
      typeof wanted === "string" ? (line: LogLine) => line.msg === wanted : wanted,
    );
  }

  said(msg: string): LogLine[] {
    return this.lines.filter((line) => line.msg === msg);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async #first<Item>(heard: readonly Item[], isWanted: (item: Item) => boolean): Promise<Item> {
    for (;;) {
      const found = heard.find(isWanted);
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`${this.name} ended without saying it:\n${this.#story()}`);
      await new Promise<void>((resolve) => this.#heard.add(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#heard) wake();
    this.#heard.clear();
  }

  #story(): string {
    return this.lines.map((line) => JSON.stringify(line)).join("\n");
  }
}

function commandOf(name: string): string[] {
  return ["services/start/run.cjs", name === "source" ? "services/source/main.ts" : "services/layer/main.ts"];
}
