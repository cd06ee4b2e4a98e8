import { useState } from "preact/hooks";
import type { Command } from "../../shared/record/hub-api.ts";
import { command as give } from "./hub.ts";

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
