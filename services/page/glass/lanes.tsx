import type { SeenBy } from "../../../shared/record/seen.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";
import { placeOf } from "../charts/plot.ts";
import { milliseconds, type Step, type Wait } from "./steps.ts";

interface Props {
  readonly seen: readonly SeenBy[];
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly at: number;
  readonly onStep: (at: number) => void;
}

/** A lane for each worker: what happened when, and where it waited. */
export function Lanes({ seen, steps, waits, at, onStep }: Props) {
  const most = Math.max(steps.at(-1)?.at ?? 0, 0.001);
  const left = (ms: number) => `${(100 * ms) / most}%`;
  return (
    <div class="lanes">
      {seen.map(({ worker, refusal }) => (
        <div class="lane" key={worker} data-testid="lane" data-worker={worker}>
          <span class="lane-name">{spokenName(worker)}</span>
          <div class="lane-line">
            {refusal !== undefined && <span class="small">{refusal}</span>}
            {waits
              .filter((wait) => wait.worker === worker)
              .map(({ from, to }) => (
                <span
                  class="lane-wait"
                  key={from}
                  style={{ left: left(from), width: left(to - from) }}
                  title={`waits ${milliseconds(to - from)}`}
                  data-testid="lane-wait"
                />
              ))}
            {steps.map((step, index) =>
              step.worker === worker ? (
                <button
                  type="button"
                  key={step.moment}
                  class={`lane-step lane-${step.moment} colour-${placeOf(worker)}`}
                  style={{ left: left(step.at) }}
                  tabIndex={-1}
                  aria-hidden="true"
                  title={`${spokenName(worker)} ${step.words}, after ${milliseconds(step.at)}`}
                  onClick={() => onStep(index)}
                />
              ) : null,
            )}
            <span class="lane-now" style={{ left: left(steps[at]?.at ?? 0) }} />
          </div>
        </div>
      ))}
    </div>
  );
}
