import type { Goodbye } from "../../shared/telemetry/messages.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";

/** An exit code, or `poisoned`: not the end of the process, which goes back to the last checkpoint. */
export type Ending = number | "poisoned";

export function isExpected(ending: Ending): boolean {
  return ending === ExitCode.done || ending === ExitCode.startAgain;
}

/** What the hub is told last; undefined where another life follows in this very process. */
export function goodbyeOf(ending: Ending, message: string): Goodbye["why"] | undefined {
  if (ending === "poisoned") return undefined;
  if (message === "stopped" || message === "fenced") return message;
  return message === "done" ? "finished" : "failed";
}
