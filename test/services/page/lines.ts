import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { Evaluation, EventLine, Segment } from "../../../shared/record/lines.ts";
import type { Speaker, WorkerName } from "../../../shared/record/worker-name.ts";

/** Lines and views as a hub gives them, with only what a test speaks of. */

/** Ten batches a second, ending at `last` tenths of a second after 0. */
export function segment(worker: Speaker, first: number, last: number, more: Partial<Segment> = {}): Segment {
  const spanMs = 100 * (last - first + 1);
  return { kind: "segment", worker, incarnation: 1, at: 100 * (last + 1), first, last, spanMs, ...more };
}

export function evaluation(batch: number, error: number): Evaluation {
  return {
    kind: "evaluation",
    worker: "layer3",
    incarnation: 1,
    at: 100 * batch,
    batch,
    test: { loss: 2 * error, error },
  };
}

export function event(
  worker: Speaker,
  name: EventLine["name"],
  at: number,
  more: Partial<EventLine> = {},
): EventLine {
  return { kind: "event", worker, incarnation: 1, at, name, text: name, ...more };
}

export function worker(name: WorkerName, more: Partial<WorkerView> = {}): WorkerView {
  const layer = Number(name.replace("layer", ""));
  return {
    name,
    ...(Number.isNaN(layer) ? {} : { layer }),
    contact: "connected",
    state: "training",
    heardAt: 10_000,
    since: 0,
    incarnation: 1,
    batch: 100,
    perSecond: 10,
    dropped: 0,
    deaths: 0,
    ...more,
  };
}
