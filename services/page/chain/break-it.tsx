import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { Outage } from "../../../shared/record/outages/outages.ts";
import { type Commanding, MEANINGS } from "../commanding.tsx";
import { breakagesOf } from "./breakages.ts";

interface Props {
  readonly worker: WorkerView;
  readonly hasSuccessor: boolean;
  readonly outages: readonly Outage[];
  readonly commands: Commanding;
}

/** What one can do to a room, in the room. */
export function BreakIt({ worker, hasSuccessor, outages, commands }: Props) {
  const possible = breakagesOf(worker, hasSuccessor, outages);
  if (possible.length === 0) return null;
  return (
    <fieldset class="break-it">
      <legend class="unseen">Break {worker.name}</legend>
      {possible.map((command) => (
        <button
          key={command}
          type="button"
          class={`quiet break-${command}`}
          disabled={!commands.isAllowed}
          title={MEANINGS[command]}
          aria-label={`${command} ${worker.name}`}
          onClick={() => commands.send(worker.name, command)}
          data-testid={`break-${command}`}
        >
          {command}
        </button>
      ))}
    </fieldset>
  );
}
