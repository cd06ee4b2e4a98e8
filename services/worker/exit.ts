import type { Goodbye } from "../../shared/telemetry/messages.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";

/**
 * An exit code; or not the end of the process, which goes on from its last checkpoint (poisoned), or from an earlier one
 * (going back).
 */
export type Ending = number | "poisoned" | "going back";

export function hasNextLife(ending: Ending): ending is Exclude<Ending, number> {
  return typeof ending === "string";
}

export function isExpected(ending: Ending): boolean {
  return ending === ExitCode.done || ending === ExitCode.startAgain;
}

/** What the hub is told last; undefined where another life follows in this very process. */
export function goodbyeOf(ending: Ending, message: string): Goodbye["why"] | undefined {
  if (hasNextLife(ending)) return undefined;
  if (message === "stopped" || message === "fenced") return message;
  return message === "done" ? "finished" : "failed";
}
