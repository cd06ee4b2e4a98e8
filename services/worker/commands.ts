import type { Logger } from "pino";
import { DELAY_MS } from "../../shared/record/hub-api.ts";
import type { Command } from "../../shared/telemetry/messages.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";

/** What a worker does when somebody at the hub asks for it. */
interface CommandTarget {
  readonly log: Logger;
  readonly batch: number;
  readonly isPaused: boolean;
  readonly setPaused: (isPaused: boolean) => void;
  /** Of what is sent to the successor; undefined where there is none. */
  readonly delayMs: number | undefined;
  readonly setDelay: (ms: number) => void;
  /** Into its own log and the run's record. */
  readonly event: (name: "paused" | "resumed" | "delayed" | "undelayed", text: string) => void;
  readonly save: () => void;
  /** Ends the process as a crash would: nothing is saved or reported. */
  readonly kill: () => void;
  readonly stop: (why: string, code: number) => void;
}

export function runCommand(worker: CommandTarget, command: Command): void {
  switch (command) {
    case "pause":
    case "resume":
      return pause(worker, command === "pause");
    case "delay":
    case "undelay":
      return delay(worker, command === "delay" ? DELAY_MS : 0);
    case "checkpoint":
      return worker.save();
    case "kill":
      return worker.kill();
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

function delay(worker: CommandTarget, ms: number): void {
  if (worker.delayMs === undefined || worker.delayMs === ms) return;
  const isDelayed = ms > 0;
  worker.log.info({ batch: worker.batch, ms }, isDelayed ? "delays what it sends on" : "delays no more");
  worker.event(
    isDelayed ? "delayed" : "undelayed",
    isDelayed ? `told to send to its successor ${ms} ms later` : "told to send at once again",
  );
  worker.setDelay(ms);
}
