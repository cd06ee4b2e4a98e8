import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { StopRequest, Telemetry } from "../../shared/telemetry/telemetry.ts";
import { lastWords } from "./last-words.ts";
import type { Ending } from "./supervision.ts";

export interface Hearing {
  readonly told: (telemetry: Telemetry) => void;
  /** Exactly once, and after everything it told. */
  readonly ended: (ending: Ending) => void;
}

const MOST_LOG_BYTES = 64 * 1024;

/**
 * One life of a worker. Its output is appended to `logFile` without passing through us, so that its last lines are
 * kept even if we are killed.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #logFrom: number;

  /** `command`: the program and its arguments. A program that cannot be started ends; throws if the log cannot be opened. */
  constructor(command: readonly string[], logFile: string, hearing: Hearing) {
    const log = openSync(logFile, "a");
    this.#logFile = logFile;
    this.#logFrom = fstatSync(log).size;
    const [program, ...rest] = command;
    try {
      this.#child = spawn(program!, rest, { stdio: ["ignore", log, log, "ipc"] });
    } finally {
      closeSync(log);
    }
    hear(this.#child, hearing);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  askToStop(): void {
    const request: StopRequest = { kind: "stop" };
    // It may be gone already; then its ending is on its way to us.
    if (this.#child.connected) this.#child.send(request, () => undefined);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** See `lastWords`; of this life only. Empty if the log cannot be read. */
  lastWords(): string[] {
    try {
      return lastWords(readFrom(this.#logFile, this.#logFrom));
    } catch {
      return [];
    }
  }
}

function hear(child: ChildProcess, { told, ended }: Hearing): void {
  let hasEnded = false;
  const end = (ending: Ending) => {
    if (!hasEnded) ended(ending);
    hasEnded = true;
  };
  child.on("message", (message) => {
    if (isTelemetry(message)) told(message);
  });
  // Also emitted when a signal or a message could not be sent; only a child without a pid never lived.
  child.on("error", (error) => {
    if (child.pid === undefined) end({ fault: error.message });
  });
  // Not "exit": that may come before the last message has been read.
  child.on("close", (code, signal) => end(signal ? { signal } : { code: code ?? 1 }));
}

const KINDS: ReadonlySet<unknown> = new Set<Telemetry["kind"]>([
  "progress",
  "evaluated",
  "listening",
  "finished",
]);

function isTelemetry(message: unknown): message is Telemetry {
  return typeof message === "object" && message !== null && "kind" in message && KINDS.has(message.kind);
}

function readFrom(path: string, from: number): string {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - MOST_LOG_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}
