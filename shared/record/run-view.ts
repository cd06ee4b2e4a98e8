import type { Config } from "../config/config.ts";
import { dataFacts } from "../config/data-facts.ts";
import { viewOfLayer } from "../layers/describe.ts";
import { batchesOf } from "./curves/segments.ts";
import type { RunRow, RunView, WorkerView } from "./hub-api.ts";
import type { EventLine, Segment } from "./lines.ts";
import type { WorkerState } from "./progress.ts";
import { QUIET_MS, type RunRecord } from "./run-record.ts";
import { layerOf, type WorkerName, workerNames } from "./worker-name.ts";

/** How a run and its workers stand by its files: what everybody shows of it where no hub says more. */
export function viewOfRun(record: RunRecord, now: number): Omit<RunView, "control"> {
  const { config } = record;
  const workers = workerNames(config).map((name) => workerOf(record, name, now));
  return { row: rowOf(record, record.state(now)), config, data: dataFacts(config.data), workers };
}

/** What classes, bits or values are called; none where the data do not say. */
export function labelNames({ data }: Config): readonly string[] {
  return (dataFacts(data).labels ?? []).map(({ name }) => name);
}

export function rowOf(record: RunRecord, state: RunRow["state"]): RunRow {
  const { id, config, batch, test } = record;
  const startedAt = new Date(record.startedAt).toISOString();
  const { batches } = config.run;
  return { id, name: config.name, startedAt, state, batch, batches, ...(test && { test }) };
}

export function workerOf(record: RunRecord, name: WorkerName, now: number): WorkerView {
  const { config, standing, events } = record;
  const said = events.filter(({ worker, about }) => worker === name || about === name);
  const own = said.filter(({ worker }) => worker === name);
  const last = standing.segments(name).at(-1);
  const heardAt = Math.max(last?.at ?? 0, own.at(-1)?.at ?? 0);
  const layer = layerOf(name);
  return {
    name,
    ...(layer === undefined ? {} : { layer, shape: viewOfLayer(config.layers[layer - 1]!) }),
    ...contactOf(record, said, heardAt, now),
    ...(heardAt > 0 ? { heardAt } : {}),
    incarnation: Math.max(last?.incarnation ?? 0, ...own.map(({ incarnation }) => incarnation)),
    batch: last?.last ?? -1,
    perSecond: last && last.spanMs > 0 ? (1000 * batchesOf(last)) / last.spanMs : 0,
    ...figuresOf(last),
    ...record.recoveries.of(name),
    dropped: 0,
  };
}

/** What the newest segment that stands says of a worker, where the worker itself says nothing newer. */
export function figuresOf(
  last: Segment | undefined,
): Pick<WorkerView, "loss" | "generatorError" | "cosine" | "staleness"> {
  const { loss, generatorError, cosine, staleness } = last ?? {};
  return {
    ...(loss === undefined ? {} : { loss }),
    ...(generatorError === undefined ? {} : { generatorError }),
    ...(cosine === undefined ? {} : { cosine }),
    ...(staleness === undefined ? {} : { staleness }),
  };
}

type Contact = Pick<WorkerView, "contact" | "why" | "since"> & { readonly state?: WorkerState };

/** What the last telling event makes of a worker. */
function contactOf(record: RunRecord, said: readonly EventLine[], heardAt: number, now: number): Contact {
  const telling = said.findLast(({ name }) => name in MEANINGS);
  if (telling === undefined && heardAt === 0) return { contact: "absent", since: record.startedAt };
  const { contact = "connected", state = "training" } = telling ? MEANINGS[telling.name]! : {};
  const since = telling?.at ?? record.startedAt;
  if (contact !== "connected") return { contact, since, why: telling!.text || telling!.name };
  if (record.isFinished) return { contact: "gone", why: "finished", since };
  if (!record.isTrained(now)) return { contact: "gone", why: "not running", since };
  if (now - heardAt > QUIET_MS) {
    return { contact: "unreachable", why: "nothing in the files of late", since };
  }
  return { contact, state, since };
}

interface Meaning {
  readonly contact?: WorkerView["contact"];
  readonly state?: WorkerState;
}

const MEANINGS: Readonly<{ [Name in EventLine["name"]]?: Meaning }> = {
  began: {},
  restored: {},
  continued: {},
  resumed: {},
  back: {},
  held: { state: "holding" },
  paused: { state: "paused" },
  finished: { contact: "gone", state: "finished" },
  stopped: { contact: "gone" },
  fenced: { contact: "gone" },
  poisoned: { contact: "gone" },
  unreachable: { contact: "unreachable" },
  died: { contact: "dead" },
  dead: { contact: "dead" },
};
