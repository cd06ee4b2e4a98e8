import { useState } from "preact/hooks";
import type { Command, ControlView } from "../../shared/record/hub-api.ts";
import { Choice } from "./choice.tsx";
import { type Commanding, MEANINGS } from "./commanding.tsx";

interface Props {
  readonly control: ControlView;
  readonly commands: Commanding;
  readonly workers: readonly string[];
  readonly worker: string;
  readonly onWorker: (worker: string) => void;
}

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
        {(Object.keys(MEANINGS) as Command[]).map((each) => (
          <Row
            key={each}
            name={each}
            meaning={MEANINGS[each]}
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
      {/* A browser has none for pages that came over a network without TLS. */}
      {navigator.clipboard && (
        <button type="button" class="quiet" onClick={copy} aria-label={`Copy ${text}`}>
          {isCopied ? "copied" : "copy"}
        </button>
      )}
    </span>
  );
}
