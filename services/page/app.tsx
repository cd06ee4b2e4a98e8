import { useEffect, useRef, useState } from "preact/hooks";
import { type Address, hashOf } from "./address.ts";
import { Chain } from "./chain.tsx";
import { type ChartSettings, Charts } from "./charts.tsx";
import { Control } from "./control.tsx";
import { Header } from "./header.tsx";
import { Help } from "./help.tsx";
import { History } from "./history.tsx";
import { type Keys, useKeys } from "./keys.ts";
import { Logs } from "./logs.tsx";
import { Runs } from "./runs.tsx";
import { useTheme } from "./theme.ts";
import { Watcher } from "./watcher.ts";

const BEAT_MS = 500;

/** The whole page. Draws what the watcher knows: at once when it knows more, and twice a second, since figures age. */
export function App({ address }: { readonly address: Address }) {
  const { watcher, beat } = useWatcher();
  const theme = useTheme();
  const [opened, setOpened] = useState(address.run);
  const [overlayId, setOverlay] = useState<string>();
  const [selected, setSelected] = useState<string>();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [settings, setSettings] = useState<ChartSettings>({
    axis: "batch",
    isLog: true,
    smoothing: 0,
    zoom: undefined,
  });
  const changeSettings = (change: Partial<ChartSettings>) =>
    setSettings((before) => ({ ...before, ...change }));

  const id = opened ?? watcher.watched ?? watcher.runs[0]?.id;
  const run = watcher.run(id);
  const overlay = overlayId === id ? undefined : watcher.run(overlayId);
  const workers = run?.workers.map(({ name }) => name) ?? [];
  const version = useVersion(run?.version ?? 0, beat);

  const open = (chosen: string) => {
    const next = chosen === watcher.watched ? undefined : chosen;
    setOpened(next);
    history.replaceState(null, "", hashOf(next === undefined ? {} : { run: next }) || location.pathname);
  };
  const keys: Keys = {
    "?": () => setHelpOpen(true),
    x: () => changeSettings({ axis: settings.axis === "batch" ? "time" : "batch", zoom: undefined }),
    l: () => changeSettings({ isLog: !settings.isLog }),
    r: () => changeSettings({ zoom: undefined }),
    t: theme.next,
    "/": () => document.getElementById("log-text")?.focus(),
    Escape: () => setSelected(undefined),
    ...Object.fromEntries(
      workers.slice(0, 10).map((name, place) => [String(place), () => setSelected(name)]),
    ),
  };
  useKeys(keys);

  return (
    <>
      <Header
        run={run}
        connection={watcher.connection}
        theme={theme.name}
        onTheme={theme.next}
        onHelp={() => setHelpOpen(true)}
      />
      <main>
        {watcher.fault !== undefined && (
          <p class="fault" role="status">
            {watcher.fault}
          </p>
        )}
        {opened !== undefined && opened !== watcher.watched && (
          <p class="elsewhere">
            You look at an older run.{" "}
            {watcher.watched !== undefined && (
              <button type="button" class="plain" onClick={() => open(watcher.watched!)}>
                Go to the one being watched
              </button>
            )}
          </p>
        )}
        {run?.view ? (
          <>
            <Chain
              workers={run.workers}
              events={run.events}
              now={
                run.id === watcher.watched
                  ? watcher.now
                  : Math.max(0, ...run.workers.map(({ since }) => since))
              }
              selected={selected}
              onSelect={(worker) => setSelected(worker === selected ? undefined : worker)}
            />
            {run.view.control.isOn && run.id === watcher.watched && (
              <Control
                control={run.view.control}
                token={address.token}
                workers={workers}
                worker={selected ?? workers[Math.min(2, workers.length - 1)] ?? ""}
                onWorker={setSelected}
              />
            )}
            <Charts
              run={run}
              version={version}
              overlay={overlay}
              settings={settings}
              theme={theme.shown}
              onSettings={changeSettings}
            />
            <div class="pair">
              <History events={run.events} workers={workers} filter={selected} onFilter={setSelected} />
              <Logs
                run={run.id}
                isWatched={run.id === watcher.watched}
                workers={workers}
                worker={selected ?? workers[0] ?? "source"}
                onWorker={setSelected}
              />
            </div>
            <Runs
              runs={watcher.runs}
              shown={run.view}
              overlay={overlay?.view}
              onOpen={open}
              onOverlay={setOverlay}
            />
          </>
        ) : (
          <p class="beginning">
            {watcher.connection.kind === "live" ? "No run has told anything yet." : "Asking the hub …"}
          </p>
        )}
      </main>
      <footer>
        Every layer is its own process. Kill one; the rest keep learning. The same in the terminal:{" "}
        <code>npm run unlocked -- status</code>
      </footer>
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

function useWatcher() {
  const [beat, setBeat] = useState(0);
  const [, redraw] = useState(0);
  const watcher = useRef<Watcher>(undefined);
  watcher.current ??= new Watcher(() => redraw((count) => count + 1));
  useEffect(() => {
    watcher.current!.start();
    const timer = setInterval(() => setBeat((count) => count + 1), BEAT_MS);
    return () => clearInterval(timer);
  }, []);
  return { watcher: watcher.current, beat };
}

/** As of the last beat. */
function useVersion(version: number, beat: number): number {
  const kept = useRef({ version, beat });
  if (kept.current.beat !== beat) kept.current = { version, beat };
  return kept.current.version;
}
