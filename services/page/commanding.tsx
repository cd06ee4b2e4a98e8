import { useState } from "preact/hooks";
import type { Command } from "../../shared/record/hub-api.ts";
import { command as give } from "./hub.ts";

/** What a worker does that is told so. */
export const MEANINGS: Readonly<Record<Command, string>> = {
  pause: "takes no batch until it is resumed",
  resume: "takes batches again",
  delay: "sends its successor everything a quarter of a second later",
  undelay: "sends at once again",
  checkpoint: "saves its state now",
  restart: "saves, ends, and is started again",
  kill: "dies at once, as by an accident; nothing is saved",
  stop: "saves, ends, and stays away until it is started",
  start: "begins again where it had saved, if it was stopped",
};

/** Gives commands, and says what became of the last. */
export interface Commanding {
  readonly said: string;
  /** There is a token to give them with. */
  readonly isAllowed: boolean;
  readonly send: (to: string, command: Command) => Promise<void>;
}

export function useCommands(token: string | undefined): Commanding {
  const [said, setSaid] = useState("");
  const send = async (to: string, command: Command) => {
    if (token === undefined) return;
    setSaid(`${command} ${to} …`);
    try {
      await give({ worker: to, command }, token);
      setSaid(`${command}: sent to ${to}`);
    } catch (error) {
      setSaid(`${command} ${to}: refused, ${(error as Error).message}`);
    }
  };
  return { said, isAllowed: token !== undefined, send };
}

/** What became of the last command; or why there can be none. */
export function CommandAnswer({ said, isAllowed }: Commanding) {
  return (
    <p class="hint command-answer" role="status" data-testid="control-answer">
      {isAllowed
        ? said
        : "Commands need the token of the run: open the address that was printed at the start, with its #token=."}
    </p>
  );
}
