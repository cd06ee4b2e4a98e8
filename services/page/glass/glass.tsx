import { useEffect, useState } from "preact/hooks";
import { count } from "../../../shared/record/numbers.ts";
import type { SeenBy } from "../../../shared/record/seen.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";
import { look } from "../hub.ts";
import { Heat, mostOf } from "./heat.tsx";
import { Lanes } from "./lanes.tsx";
import { contradictionIn, milliseconds, type Step, stepsOf, verdictOn, waitsOf } from "./steps.ts";

/** Between two steps, while it plays. */
const STEP_MS = 1_200;

type Looked =
  | { readonly kind: "nothing" }
  | { readonly kind: "waiting"; readonly heard: number }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "seen"; readonly seen: readonly SeenBy[] };

/** One batch of this run in slow motion, as its workers saw it. */
export function Glass({ workers }: { readonly workers: readonly string[] }) {
  const [looked, setLooked] = useState<Looked>({ kind: "nothing" });
  const start = () => void lookOnce(workers, setLooked);
  return (
    <section class="panel glass" aria-labelledby="glass-title" data-testid="glass">
      <div class="panel-head">
        <h2 id="glass-title">Under glass</h2>
        <button
          type="button"
          class="plain"
          disabled={looked.kind === "waiting"}
          onClick={start}
          data-testid="look"
        >
          {looked.kind === "seen" ? "look at another batch" : "look at a batch"}
        </button>
        <p class="hint">one batch of this run in slow motion, as its workers saw it</p>
        <p class="answer" role="status">
          {statusOf(looked, workers.length)}
        </p>
      </div>
      {looked.kind === "seen" && <Motion key={looked.seen[0]?.batch} seen={looked.seen} />}
    </section>
  );
}

function statusOf(looked: Looked, workers: number): string {
  if (looked.kind === "refused") return looked.why;
  return looked.kind === "waiting" ? `${looked.heard} of ${workers} have told …` : "";
}

async function lookOnce(workers: readonly string[], change: (looked: Looked) => void): Promise<void> {
  const heard: SeenBy[] = [];
  change({ kind: "waiting", heard: 0 });
  try {
    await look((seen) => {
      heard.push(seen);
      change({ kind: "waiting", heard: heard.length });
    });
    const seen = workers.flatMap((name) => heard.find(({ worker }) => worker === name) ?? []);
    if (stepsOf(seen).length > 0) return change({ kind: "seen", seen });
    change({ kind: "refused", why: `no worker saw it: ${seen[0]?.refusal ?? "none answered"}` });
  } catch (error) {
    change({ kind: "refused", why: error instanceof Error ? error.message : String(error) });
  }
}

function Motion({ seen }: { readonly seen: readonly SeenBy[] }) {
  const steps = stepsOf(seen);
  const [at, setAt] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const last = steps.length - 1;
  const go = (to: number) => {
    setPlaying(false);
    setAt(Math.max(0, Math.min(last, to)));
  };
  useEffect(() => {
    if (!isPlaying) return;
    if (at === last) return setPlaying(false);
    const timer = setTimeout(() => setAt(at + 1), STEP_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at]);
  const play = () => {
    if (at === last) setAt(0);
    setPlaying(!isPlaying);
  };
  const step = steps[at]!;
  const contradiction = contradictionIn(seen);
  return (
    <>
      <Tools batch={seen[0]!.batch} {...{ steps, at, isPlaying, go, play }} />
      <p class="verdict" data-testid="verdict">
        {verdictOn(seen)}
        {contradiction > 0.5 &&
          ` The clocks of these machines disagree by ${milliseconds(contradiction)} or more.`}
      </p>
      <Lanes {...{ seen, steps, at }} waits={waitsOf(seen)} onStep={go} />
      <StepView step={step} />
    </>
  );
}

interface ToolsProps {
  readonly batch: number;
  readonly steps: readonly Step[];
  readonly at: number;
  readonly isPlaying: boolean;
  readonly go: (to: number) => void;
  readonly play: () => void;
}

/** To go through the steps, one after the other or to any. */
function Tools({ batch, steps, at, isPlaying, go, play }: ToolsProps) {
  const last = steps.length - 1;
  const { worker, words } = steps[at]!;
  return (
    <div class="glass-tools">
      <button
        type="button"
        class="plain"
        disabled={at === 0}
        onClick={() => go(at - 1)}
        data-testid="glass-previous"
      >
        previous
      </button>
      <button type="button" class="plain" onClick={play} data-testid="glass-play">
        {isPlaying ? "pause" : "play"}
      </button>
      <button
        type="button"
        class="plain"
        disabled={at === last}
        onClick={() => go(at + 1)}
        data-testid="glass-next"
      >
        next
      </button>
      <input
        type="range"
        min={0}
        max={last}
        value={at}
        aria-label="Step"
        aria-valuetext={`${spokenName(worker)} ${words}`}
        onInput={({ currentTarget }) => go(Number(currentTarget.value))}
      />
      <span class="small">
        batch {count(batch)}, step {at + 1} of {steps.length}
      </span>
    </div>
  );
}

function StepView({ step: { worker, at, words, pictures } }: { readonly step: Step }) {
  // Gradients that are to be compared are drawn on one scale.
  const both = pictures.filter(({ name }) => name === "guess" || name === "target");
  const common = both.length === 2 ? Math.max(...both.map(({ picture }) => mostOf(picture))) : undefined;
  return (
    <div class="glass-step" data-testid="glass-step">
      <p aria-live="polite">
        <b>{spokenName(worker)}</b> {words} <span class="small">after {milliseconds(at)}</span>
      </p>
      <div class="heats">
        {pictures.map(({ name, picture, isSize = false }) => (
          <Heat key={name} {...{ name, picture, isSize }} most={common ?? mostOf(picture)} />
        ))}
      </div>
    </div>
  );
}
