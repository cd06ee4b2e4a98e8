import { useEffect } from "preact/hooks";
import { headline } from "../../shared/record/curves/judged.ts";
import { count, day, duration, figure } from "../../shared/record/numbers.ts";
import { deathWords } from "../../shared/record/outages/recovery.ts";
import { textLoss } from "../../shared/record/text-loss.ts";
import type { RunKnowledge } from "./knowledge.ts";
import type { Connection } from "./watcher.ts";

interface Props {
  readonly run: RunKnowledge | undefined;
  readonly connection: Connection;
  readonly theme: string;
  readonly onTheme: () => void;
  readonly onHelp: () => void;
}

export function Header({ run, connection, theme, onTheme, onHelp }: Props) {
  return (
    <header class="top">
      <div class="top-line">
        <p class="brand">
          <Mark /> Unlocked
        </p>
        <ConnectionState connection={connection} />
        <div class="top-tools">
          <button type="button" class="quiet" onClick={onTheme} title="Light, dark, or as the system (t)">
            {theme}
          </button>
          <button type="button" class="quiet" onClick={onHelp} aria-label="Help and keyboard shortcuts (?)">
            ?
          </button>
        </div>
      </div>
      {run?.view && <RunLine run={run} />}
    </header>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 30 14" width="30" height="14" aria-hidden="true">
      <rect x="0.75" y="1.75" width="6.5" height="10.5" rx="1.2" class="mark-lit" />
      <rect x="11.75" y="1.75" width="6.5" height="10.5" rx="1.2" class="mark-dark" />
      <rect x="22.75" y="1.75" width="6.5" height="10.5" rx="1.2" class="mark-lit" />
    </svg>
  );
}

function ConnectionState({ connection }: { readonly connection: Connection }) {
  const since = connection.kind === "reconnecting" ? duration((Date.now() - connection.since) / 1000) : "";
  const words = {
    connecting: "connecting to the hub",
    live: "live",
    reconnecting: `hub unreachable for ${since}; reconnecting`,
  }[connection.kind];
  return (
    <p
      class={`connection connection-${connection.kind}`}
      data-testid="connection"
      data-state={connection.kind}
    >
      <span class="lamp" aria-hidden="true" />
      {words}
    </p>
  );
}

function RunLine({ run }: { readonly run: RunKnowledge }) {
  const { row, config } = run.view!;
  const done = run.batch + 1;
  const share = row.batches > 0 ? Math.min(1, done / row.batches) : 0;
  const test = run.record.evaluations.at(-1)?.test ?? row.test;
  const text = textLoss(config, test?.loss);
  useEffect(() => {
    document.title = `${test ? `${headline(test).value} · ` : ""}${row.name} · Unlocked`;
  });
  const left = row.state === "watched" && share < 1 ? run.secondsLeft : undefined;
  const deaths = deathWords(run.workers);
  return (
    <>
      <div class="run-line">
        <div class="run-name">
          <h1 data-testid="run-name">{row.name}</h1>
          <p class="small">
            <span data-testid="run-state">{stateWords[row.state]}</span> · {config.learning.method} · window{" "}
            {config.delivery.window} · seed {config.seed} · began {day(row.startedAt)}
            {deaths !== undefined && (
              <>
                {" · "}
                <span data-testid="deaths">{deaths}</span>
              </>
            )}
          </p>
        </div>
        <dl class="headline">
          <div>
            <dt>{headline(test).name}</dt>
            <dd data-testid="accuracy">{headline(test).value}</dd>
          </div>
          {text && (
            <div>
              <dt>perplexity</dt>
              <dd data-testid="perplexity">
                {figure(text.perplexity)}{" "}
                <span class="of">
                  {figure(text.bits)} bits a {text.unit}
                </span>
              </dd>
            </div>
          )}
          <div>
            <dt>batch</dt>
            <dd data-testid="batch">
              {count(done)} <span class="of">of {count(row.batches)}</span>
            </dd>
          </div>
          <div>
            <dt>{row.state === "watched" ? "time left" : "ended"}</dt>
            <dd data-testid="eta">{row.state === "watched" ? etaWords(share, left) : row.state}</dd>
          </div>
        </dl>
      </div>
      <progress class="progress" max={1} value={share} aria-label="batches applied by every layer" />
    </>
  );
}

const stateWords = {
  watched: "being watched",
  training: "training",
  finished: "finished",
  stopped: "stopped",
} as const;

function etaWords(share: number, left: number | undefined): string {
  if (share >= 1) return "done";
  return left === undefined ? "–" : `about ${duration(left)}`;
}
