import type {
  Answer,
  ControlAnswer,
  ControlRequest,
  LogRecord,
  Question,
  RunRow,
  RunView,
  StreamEvents,
} from "../../shared/record/hub-api.ts";
import type { EventLine, MetricLine } from "../../shared/record/lines.ts";
import type { SeenBy } from "../../shared/record/seen.ts";

/** The hub as the page speaks to it. Everything is asked of the folder the page came from. */

export const fetchRuns = () => get<RunRow[]>("api/runs");
export const fetchRun = (run: string) => get<RunView>(`api/runs/${encodeURIComponent(run)}`);
export const fetchMetrics = (run: string) => get<MetricLine[]>(`api/runs/${encodeURIComponent(run)}/metrics`);
export const fetchEvents = (run: string) => get<EventLine[]>(`api/runs/${encodeURIComponent(run)}/events`);

interface LogQuery {
  readonly run: string;
  readonly worker: string;
  readonly level: string;
  readonly text: string;
}

export function fetchLog({ run, worker, level, text }: LogQuery, signal: AbortSignal): Promise<LogRecord[]> {
  const query = new URLSearchParams({ tail: "500", level, ...(text === "" ? {} : { text }) });
  return get(`api/runs/${encodeURIComponent(run)}/logs/${encodeURIComponent(worker)}?${query}`, signal);
}

export const fileAddress = (run: string, name: string) => `api/runs/${encodeURIComponent(run)}/files/${name}`;

/** Rejects with the hub's reason where it refuses. */
export async function command(request: ControlRequest, token: string): Promise<ControlAnswer> {
  const response = await fetch("api/control", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  });
  return answer(response);
}

/** Hears each worker's answer as it comes. Rejects with the hub's reason where it refuses. */
export async function ask(question: Question, hear: (answer: Answer) => void): Promise<void> {
  const response = await fetch("api/ask", { method: "POST", body: JSON.stringify(question) });
  return eachLine(response, hear);
}

/** Hears what each worker saw of one batch, as it comes. Rejects with the hub's reason where it refuses. */
export async function look(hear: (seen: SeenBy) => void): Promise<void> {
  return eachLine(await fetch("api/look", { method: "POST" }), hear);
}

async function eachLine<Line>(response: Response, hear: (line: Line) => void): Promise<void> {
  if (!response.ok) return answer(response);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) hear(JSON.parse(line) as Line);
  }
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer(
    await fetch(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) }),
  );
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const said = (await response.json().catch(() => undefined)) as { readonly error?: string } | undefined;
  throw new Error(said?.error ?? `the hub answered ${response.status}`);
}

type StreamHandlers = {
  readonly [Name in keyof StreamEvents]: (said: StreamEvents[Name]) => void;
} & { readonly lost: () => void };

/** The hub speaks at least every two seconds; after so long a silence its connection is given up for another. */
const SILENT_MS = 7_000;
const AGAIN_MS = 1_000;

/** Dials again whenever the connection is lost. */
export function listen(handlers: StreamHandlers): void {
  const stream = new EventSource("api/stream");
  let watch: ReturnType<typeof setTimeout>;
  const again = () => {
    clearTimeout(watch);
    stream.close();
    handlers.lost();
    setTimeout(() => listen(handlers), AGAIN_MS);
  };
  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(again, SILENT_MS);
  };
  heard();
  stream.onerror = again;
  for (const name of ["hello", "workers", "metrics", "events", "run"] as const) {
    stream.addEventListener(name, ({ data }: MessageEvent<string>) => {
      heard();
      (handlers[name] as (said: unknown) => void)(JSON.parse(data));
    });
  }
}
