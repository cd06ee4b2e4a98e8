import { useEffect, useRef, useState } from "preact/hooks";
import type { LogRecord } from "../../shared/record/hub-api.ts";
import { Choice } from "./choice.tsx";
import { fetchLog, fileAddress } from "./hub.ts";
import { Scroll } from "./scroll.tsx";

interface Props {
  readonly run: string;
  readonly isWatched: boolean;
  readonly workers: readonly string[];
  readonly worker: string;
  readonly onWorker: (worker: string) => void;
}

const EVERY_MS = 1_500;
const LEVELS = ["debug", "info", "warn", "error"] as const;

export function Logs({ run, isWatched, workers, worker, onWorker }: Props) {
  const [level, setLevel] = useState<string>("info");
  const [text, setText] = useState("");
  const [isFollowing, setFollowing] = useState(true);
  const { records, fault } = useLog({ run, worker, level, text }, isWatched && isFollowing);
  const end = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isFollowing && end.current) end.current.scrollTop = end.current.scrollHeight;
  }, [records, isFollowing]);
  return (
    <section class="panel logs" aria-labelledby="logs-title">
      <div class="panel-head">
        <h2 id="logs-title">Log</h2>
        <Choice label="of" options={workers} value={worker} onChoose={onWorker} testId="log-worker" />
        <Choice label="from" options={LEVELS} value={level} onChoose={setLevel} testId="log-level" />
        <input
          id="log-text"
          type="search"
          placeholder="with these words"
          aria-label="Only lines with these words"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={({ currentTarget }) => setFollowing(currentTarget.checked)}
          />
          follow
        </label>
        <a class="plain" href={fileAddress(run, `logs/${worker}`)} download>
          all of it
        </a>
      </div>
      <Scroll class="lines" frame={end} label={`Log of ${worker}`}>
        {records.map((record, index) => (
          <p
            key={index}
            class={`log log-${record.level}${startsLife(records, index) ? " log-life" : ""}`}
            data-testid="log"
            data-level={record.level}
          >
            {startsLife(records, index) && <span class="life">life {record.incarnation}</span>}
            {record.text}
          </p>
        ))}
        {records.length === 0 && <p class="empty">{fault ?? "no such line"}</p>}
      </Scroll>
    </section>
  );
}

function startsLife(records: readonly LogRecord[], index: number): boolean {
  return index === 0 || records[index - 1]!.incarnation !== records[index]!.incarnation;
}

interface Query {
  readonly run: string;
  readonly worker: string;
  readonly level: string;
  readonly text: string;
}

/** Asked for again and again while somebody follows. */
function useLog({ run, worker, level, text }: Query, isLive: boolean) {
  const [answer, setAnswer] = useState<{ readonly records: readonly LogRecord[]; readonly fault?: string }>({
    records: [],
  });
  useEffect(() => {
    const abort = new AbortController();
    const ask = () =>
      fetchLog({ run, worker, level, text }, abort.signal).then(
        (records) => setAnswer({ records }),
        // What was read stays readable while the hub is away.
        (error: Error) =>
          !abort.signal.aborted && setAnswer(({ records }) => ({ records, fault: error.message })),
      );
    // Not at every letter that is typed.
    const first = setTimeout(ask, 150);
    const timer = isLive ? setInterval(ask, EVERY_MS) : undefined;
    return () => {
      abort.abort();
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [run, worker, level, text, isLive]);
  return answer;
}
