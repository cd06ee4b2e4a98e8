import { useMemo } from "preact/hooks";
import { type Axis, type Chart, chartsOf, overlaid } from "../../../shared/record/curves/curves.ts";
import type { Outage } from "../../../shared/record/outages/outages.ts";
import type { RunKnowledge } from "../knowledge.ts";
import { ChartCard } from "./chart.tsx";
import type { Drawing, Range } from "./plot.ts";

export interface ChartSettings {
  readonly axis: Axis;
  readonly isLog: boolean;
  readonly smoothing: number;
  readonly zoom: Range | undefined;
}

interface Props {
  readonly run: RunKnowledge;
  /** The run's version at the last beat: curves are drawn twice a second, whatever arrives. */
  readonly version: number;
  readonly overlay: RunKnowledge | undefined;
  readonly outages: readonly Outage[];
  readonly settings: ChartSettings;
  readonly theme: string;
  readonly onSettings: (change: Partial<ChartSettings>) => void;
}

export function Charts({ run, version, overlay, outages, settings, theme, onSettings }: Props) {
  const { axis } = settings;
  const charts = useMemo(
    () => (overlay ? overlaid(chartsOf(run, axis), chartsOf(overlay, axis)) : chartsOf(run, axis)),
    [run, version, overlay, overlay?.version, axis],
  );
  const drawing: Drawing = { ...settings, extent: extentOf(charts) };
  return (
    <section class="charts" aria-label="Curves">
      <Toolbar settings={settings} onSettings={onSettings} />
      <div class="grid">
        {charts.map((chart) => (
          <ChartCard
            key={chart.id}
            chart={chart}
            drawing={drawing}
            outages={outages}
            startedAt={run.startedAt}
            theme={theme}
            file={run.id}
            onZoom={(zoom) => onSettings({ zoom })}
          />
        ))}
      </div>
    </section>
  );
}

function extentOf(charts: readonly Chart[]): Range {
  const ends = charts.flatMap(({ curves }) => curves.flatMap(({ points }) => points.at(-1)?.x ?? []));
  return [0, Math.max(1, ...ends)];
}

function Toolbar({ settings, onSettings }: Pick<Props, "settings" | "onSettings">) {
  const { axis, isLog, smoothing, zoom } = settings;
  return (
    <div class="toolbar">
      <h2>Curves</h2>
      <fieldset class="switch">
        <legend class="unseen">along</legend>
        {(["batch", "time"] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={axis === each}
            onClick={() => onSettings({ axis: each, zoom: undefined })}
          >
            {each}
          </button>
        ))}
      </fieldset>
      <label class="slider">
        smooth
        <input
          type="range"
          min={0}
          max={0.98}
          step={0.02}
          value={smoothing}
          onInput={({ currentTarget }) => onSettings({ smoothing: Number(currentTarget.value) })}
        />
        <output>{smoothing.toFixed(2)}</output>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={isLog}
          onChange={({ currentTarget }) => onSettings({ isLog: currentTarget.checked })}
        />
        log
      </label>
      {zoom && (
        <button type="button" class="plain" onClick={() => onSettings({ zoom: undefined })}>
          show all
        </button>
      )}
      <p class="hint">drag over a chart to look closer</p>
    </div>
  );
}
