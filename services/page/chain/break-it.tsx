import type { Command, WorkerView } from "../../../shared/record/hub-api.ts";
import type { Outage } from "../../../shared/record/outages.ts";
import type { Commanding } from "../commanding.tsx";
import { breakagesOf } from "./breakages.ts";

interface Props {
  readonly worker: WorkerView;
  readonly hasSuccessor: boolean;
  readonly outages: readonly Outage[];
  readonly commands: Commanding;
}

const MEANINGS: Partial<Record<Command, string>> = {
  crash: "dies at once, as by an accident; nothing is saved",
  pause: "takes no batch until it is resumed",
  resume: "takes batches again",
  delay: "what it sends to its successor leaves a quarter of a second later",
  undelay: "sends at once again",
  start: "begins again where it had saved",
};

/** What one can do to a room, in the room. */
export function BreakIt({ worker, hasSuccessor, outages, commands }: Props) {
  const possible = breakagesOf(worker, hasSuccessor, outages);
  if (possible.length === 0) return null;
  return (
    <fieldset class="break-it">
      <legend class="unseen">Break {worker.name}</legend>
      {possible.map(({ command, name }) => (
        <button
          key={command}
          type="button"
          class={`quiet break-${command}`}
          disabled={!commands.isAllowed}
          title={MEANINGS[command]}
          aria-label={`${name} ${worker.name}`}
          onClick={() => commands.send(worker.name, command)}
          data-testid={`break-${command}`}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}
