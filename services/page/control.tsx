import { useState } from "preact/hooks";
import type { ControlView } from "../../shared/record/hub-api.ts";
import type { Command } from "../../shared/telemetry/messages.ts";
import { Choice } from "./choice.tsx";
import type { Commanding } from "./commanding.tsx";

interface Props {
  readonly control: ControlView;
  readonly commands: Commanding;
  readonly workers: readonly string[];
  readonly worker: string;
  readonly onWorker: (worker: string) => void;
}

const meanings: readonly (readonly [Command, string])[] = [
  ["pause", "takes no batch until it is resumed"],
  ["resume", "takes batches again"],
  ["delay", "what it sends to its successor leaves a quarter of a second later"],
  ["undelay", "sends at once again"],
  ["checkpoint", "saves its state now"],
  ["restart", "saves, ends, and is started again"],
  ["crash", "dies at once, as by an accident"],
  ["stop", "saves, ends, and stays away until it is started"],
  ["start", "begins again where it had saved, if it was stopped"],
];

/** All commands to one worker, and the end of the run; each beside what one would type for it. */
export function Control({ control, commands, workers, worker, onWorker }: Props) {
  const { isAllowed, send } = commands;
  return (
    <section class="panel control" aria-labelledby="control-title">
      <div class="panel-head">
        <h2 id="control-title">Control</h2>
        <Choice label="of" options={workers} value={worker} onChoose={onWorker} testId="control-worker" />
      </div>
      <ul>
        {meanings.map(([each, meaning]) => (
          <Row
            key={each}
            name={each}
            meaning={meaning}
            twin={control.twins[each]?.replaceAll("{worker}", worker)}
            isOff={!isAllowed}
            onPress={() => send(worker, each)}
          />
        ))}
        <Row
          name="stop run"
          meaning="ends the run: every worker saves and goes"
          twin={control.twins.stop?.replaceAll("{worker}", "run")}
          isOff={!isAllowed}
          onPress={() => send("run", "stop")}
        />
      </ul>
    </section>
  );
}

interface RowProps {
  readonly name: Command | "stop run";
  readonly meaning: string;
  readonly twin: string | undefined;
  readonly isOff: boolean;
  readonly onPress: () => void;
}

function Row({ name, meaning, twin, isOff, onPress }: RowProps) {
  return (
    <li>
      <button
        type="button"
        class={`command command-${idOf(name)}`}
        disabled={isOff}
        title={meaning}
        onClick={onPress}
        data-testid={`command-${idOf(name)}`}
      >
        {name}
      </button>
      <span class="unseen">{meaning}</span>
      {twin !== undefined && <Twin text={twin} />}
    </li>
  );
}

function idOf(name: RowProps["name"]): string {
  return name.replace(" ", "-");
}

function Twin({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <span class="twin">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy ${text}`}>
        {isCopied ? "copied" : "copy"}
      </button>
    </span>
  );
}
