import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunView } from "../../shared/record/hub-api.ts";
import { outagesOf } from "../../shared/record/outages/outages.ts";
import { type Address, hashOf } from "./address.ts";
import { Ask } from "./ask/ask.tsx";
import { Chain } from "./chain/chain.tsx";
import { type ChartSettings, Charts } from "./charts/charts.tsx";
import { CommandAnswer, useCommands } from "./commanding.tsx";
import { Control } from "./control.tsx";
import { Glass } from "./glass/glass.tsx";
import { Header } from "./header.tsx";
import { Help } from "./help.tsx";
import { History } from "./history.tsx";
import { Judged } from "./judged.tsx";
import { type Keys, useKeys } from "./keys.ts";
import type { RunKnowledge } from "./knowledge.ts";
import { Logs } from "./logs.tsx";
import { Pacer, type Surroundings } from "./pacer.ts";
import { Runs } from "./runs.tsx";
import { Sample } from "./sample/sample.tsx";
import { isText } from "./sample/writer.ts";
import { useTheme } from "./theme.ts";
import { notesFor } from "./visit/notes.ts";
import { Visit } from "./visit/visit.tsx";
import { Watcher } from "./watcher.ts";

const BEAT_MS = 500;

const ofWindow: Surroundings = {
  now: () => performance.now(),
  after: (ms, what) => setTimeout(what, ms),
  // A frame's callback is before its picture; the task after it is not. A page in the background has no frames, and its
  // picture is to be there when it is looked at again.
  whenShown: (what) => (document.hidden ? setTimeout(what) : requestAnimationFrame(() => setTimeout(what))),
};

/** The whole page. Draws what the watcher knows: when it knows more, and twice a second, since figures age; as the pacer allows. */
export function App({ address }: { readonly address: Address }) {
  const { watcher, beat } = useWatcher();
  const theme = useTheme();
  const { id, isElsewhere, open } = useOpened(address, watcher);
  const [overlayId, setOverlay] = useState<string>();
  const [selected, setSelected] = useState<string>();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const { settings, change } = useSettings();
  const run = watcher.run(id);
  const workers = run?.workers.map(({ name }) => name) ?? [];
  useKeys({
    ...{ "?": () => setHelpOpen(true), t: theme.next, Escape: () => setSelected(undefined) },
    ...chartKeys(settings, change),
    ...digitKeys(workers, setSelected),
    "/": () => document.getElementById("log-text")?.focus(),
  });
  const shown = {
    watcher,
    beat,
    address,
    theme: theme.shown,
    settings,
    change,
    selected,
    setSelected,
    open,
    overlayId,
    setOverlay,
  };
  return (
    <>
      <Header
        run={run}
        connection={watcher.connection}
        theme={theme.name}
        onTheme={theme.next}
        onHelp={() => setHelpOpen(true)}
      />
      {run?.view && !isElsewhere && <Visit notes={notesFor(run.view)} />}
      <main>
        {watcher.fault !== undefined && (
          <p class="fault" role="status">
            {watcher.fault}
          </p>
        )}
        {isElsewhere && <Elsewhere watched={watcher.watched} onOpen={open} />}
        {run?.view ? (
          <RunPage run={run} view={run.view} {...shown} />
        ) : (
          <p class="beginning">
            {watcher.connection.kind === "live" ? "No run has told anything yet." : "Asking the hub …"}
          </p>
        )}
      </main>
      <Footer />
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

/** The source and the first nine layers, by their numbers. */
function digitKeys(workers: readonly string[], select: (worker: string) => void): Record<string, () => void> {
  return Object.fromEntries(workers.slice(0, 10).map((name, place) => [String(place), () => select(name)]));
}

function Footer() {
  return (
    <footer>
      Every layer is its own process. Kill one; the rest keep learning. The same in the terminal:{" "}
      <code>npm run unlocked -- status</code>
    </footer>
  );
}

interface ElsewhereProps {
  readonly watched: string | undefined;
  readonly onOpen: (run: string) => void;
}

function Elsewhere({ watched, onOpen }: ElsewhereProps) {
  return (
    <p class="elsewhere">
      You look at an older run.{" "}
      {watched !== undefined && (
        <button type="button" class="plain" onClick={() => onOpen(watched)}>
          Go to the one being watched
        </button>
      )}
    </p>
  );
}

interface RunPageProps {
  readonly run: RunKnowledge;
  readonly view: RunView;
  readonly watcher: Watcher;
  readonly beat: number;
  readonly address: Address;
  readonly theme: string;
  readonly settings: ChartSettings;
  readonly change: (change: Partial<ChartSettings>) => void;
  readonly selected: string | undefined;
  readonly setSelected: (worker: string | undefined) => void;
  readonly open: (run: string) => void;
  readonly overlayId: string | undefined;
  readonly setOverlay: (run: string | undefined) => void;
}

/** One run from its workers to its files. */
function RunPage(props: RunPageProps) {
  const { run, view, watcher, beat, address, selected, setSelected } = props;
  const overlay = props.overlayId === run.id ? undefined : watcher.run(props.overlayId);
  const version = useVersion(run.version, beat);
  const isWatched = run.id === watcher.watched;
  const workers = run.workers.map(({ name }) => name);
  const commands = useCommands(address.token);
  const mayCommand = view.control.isOn && isWatched;
  const outages = useMemo(() => outagesOf(run.events, run.record), [run, version]);
  const test = run.record.evaluations.at(-1)?.test ?? view.row.test;
  return (
    <>
      <Chain
        workers={run.workers}
        events={run.events}
        now={isWatched ? watcher.now : Math.max(0, ...run.workers.map(({ since }) => since))}
        selected={selected}
        onSelect={(worker) => setSelected(worker === selected ? undefined : worker)}
        outages={outages}
        commands={mayCommand ? commands : undefined}
      />
      {mayCommand && <CommandAnswer {...commands} />}
      {isWatched && <Ask data={view.data} workers={run.workers} now={watcher.now} />}
      {isWatched && isText(view.data) && <Sample key={run.id} data={view.data} workers={run.workers} />}
      {isWatched && <Glass workers={workers} />}
      <Charts
        {...{ run, version, overlay, outages, settings: props.settings, theme: props.theme }}
        onSettings={props.change}
      />
      {test && <Judged test={test} labels={(view.data.labels ?? []).map(({ name }) => name)} />}
      {mayCommand && (
        <Control
          control={view.control}
          commands={commands}
          workers={workers}
          worker={selected ?? workers[Math.min(2, workers.length - 1)] ?? ""}
          onWorker={setSelected}
        />
      )}
      <div class="pair">
        <History events={run.events} workers={workers} filter={selected} onFilter={setSelected} />
        <Logs
          {...{ run: run.id, isWatched, workers, worker: selected ?? workers[0] ?? "source" }}
          onWorker={setSelected}
        />
      </div>
      <Runs
        {...{ runs: watcher.runs, shown: view, overlay: overlay?.view }}
        onOpen={props.open}
        onOverlay={props.setOverlay}
      />
    </>
  );
}

/** Which run is shown: the one that was chosen, else the watched one, else the newest. */
function useOpened(address: Address, watcher: Watcher) {
  const [opened, setOpened] = useState(address.run);
  const open = (chosen: string) => {
    const next = chosen === watcher.watched ? undefined : chosen;
    setOpened(next);
    history.replaceState(null, "", hashOf(next === undefined ? {} : { run: next }) || location.pathname);
  };
  const isElsewhere = opened !== undefined && opened !== watcher.watched;
  return { id: opened ?? watcher.watched ?? watcher.runs[0]?.id, isElsewhere, open };
}

function useSettings() {
  const [settings, setSettings] = useState<ChartSettings>({
    ...{ axis: "batch", isLog: true, smoothing: 0 },
    zoom: undefined,
  });
  const change = (change: Partial<ChartSettings>) => setSettings((before) => ({ ...before, ...change }));
  return { settings, change };
}

function chartKeys({ axis, isLog }: ChartSettings, change: (change: Partial<ChartSettings>) => void): Keys {
  return {
    x: () => change({ axis: axis === "batch" ? "time" : "batch", zoom: undefined }),
    l: () => change({ isLog: !isLog }),
    r: () => change({ zoom: undefined }),
  };
}

function useWatcher() {
  const [, redraw] = useState(0);
  const watcher = useRef<Watcher>(undefined);
  const pacer = useRef<Pacer>(undefined);
  pacer.current ??= new Pacer(() => redraw((count) => count + 1), ofWindow);
  watcher.current ??= new Watcher(() => pacer.current!.ask());
  useEffect(() => {
    watcher.current!.start();
    const timer = setInterval(() => pacer.current!.ask(), BEAT_MS);
    return () => clearInterval(timer);
  }, []);
  return { watcher: watcher.current, beat: Math.floor(performance.now() / BEAT_MS) };
}

/** As of the last beat. */
function useVersion(version: number, beat: number): number {
  const kept = useRef({ version, beat });
  if (kept.current.beat !== beat) kept.current = { version, beat };
  return kept.current.version;
}
