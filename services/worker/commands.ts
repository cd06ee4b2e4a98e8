import type { Logger } from "pino";
import type { Command } from "../../shared/telemetry/messages.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";

/** What a worker does when somebody at the hub asks for it. */
export interface CommandTarget {
  readonly log: Logger;
  readonly batch: number;
  readonly isPaused: boolean;
  readonly setPaused: (isPaused: boolean) => void;
  /** Into its own log and the run's record. */
  readonly event: (name: "paused" | "resumed", text: string) => void;
  readonly save: () => void;
  /** Ends the process as a crash would: nothing is saved or reported. */
  readonly crash: () => void;
  readonly stop: (why: string, code: number) => void;
}

export function runCommand(worker: CommandTarget, command: Command): void {
  switch (command) {
    case "pause":
    case "resume":
      return pause(worker, command === "pause");
    case "checkpoint":
      return worker.save();
    case "crash":
      return worker.crash();
    case "restart":
      return worker.stop("told to restart", ExitCode.startAgain);
    case "stop":
      return worker.stop("told by the hub", ExitCode.done);
    case "start":
      // It has begun already.
      return;
  }
}

/** Told twice, it says it once. */
function pause(worker: CommandTarget, isPaused: boolean): void {
  if (isPaused === worker.isPaused) return;
  const name = isPaused ? "paused" : "resumed";
  worker.log.info({ batch: worker.batch }, name);
  worker.event(name, isPaused ? "told to pause" : "told to go on");
  worker.setPaused(isPaused);
}
