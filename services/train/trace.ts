import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { layerName } from "../../shared/record/worker-name.ts";
import type { Span } from "../layer/trace/tracer.ts";

/** In runs/<id>: where each layer writes its spans, a span a line. */
const FOLDER = "trace";

export function spansFile(folder: string, worker: string): string {
  return join(folder, FOLDER, `${worker}.ndjson`);
}

/**
 * Makes one file of the spans of all layers, for Perfetto or chrome://tracing (trace-event format, JSON object): a track
 * for each layer, times from the first span on. Returns its path; undefined where nothing was traced.
 */
export function joinTrace(folder: string): string | undefined {
  const spans = spansOf(folder);
  if (spans.length === 0) return undefined;
  const path = join(folder, "trace.json");
  writeFileSync(
    path,
    JSON.stringify({ displayTimeUnit: "ms", traceEvents: tracks(basename(folder), spans) }),
  );
  return path;
}

function spansOf(folder: string): Span[] {
  const from = join(folder, FOLDER);
  if (!existsSync(from)) return [];
  const files = readdirSync(from).filter((name) => name.endsWith(".ndjson"));
  return files.flatMap((name) => readFileSync(join(from, name), "utf8").split("\n").flatMap(spanOf));
}

/** A life that was killed may have left half a line. */
function spanOf(line: string): Span[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as Span];
  } catch {
    return [];
  }
}

function tracks(run: string, spans: readonly Span[]): object[] {
  const start = spans.reduce((first, { ts }) => Math.min(first, ts), Number.POSITIVE_INFINITY);
  const layers = [...new Set(spans.map(({ tid }) => tid))].sort((a, b) => a - b);
  const named = (name: string, tid: number, args: object) => ({ name, ph: "M", pid: 1, tid, args });
  return [
    named("process_name", 0, { name: run }),
    ...layers.map((layer) => named("thread_name", layer, { name: layerName(layer) })),
    ...layers.map((layer) => named("thread_sort_index", layer, { sort_index: layer })),
    ...spans.map((span) => ({ ...span, ts: span.ts - start })).sort((a, b) => a.ts - b.ts),
  ];
}
