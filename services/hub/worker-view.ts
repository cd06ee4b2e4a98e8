import type { Config } from "../../shared/config/config.ts";
import { viewOfLayer } from "../../shared/layers/describe.ts";
import type { WorkerView } from "../../shared/record/hub-api.ts";
import type { Segment } from "../../shared/record/lines.ts";
import type { Recovery } from "../../shared/record/outages/recovery.ts";
import { figuresOf } from "../../shared/record/run-view.ts";
import { layerOf } from "../../shared/record/worker-name.ts";
import { bytesPerSecond, type Known } from "./contact.ts";

/** What a record says of a worker. */
interface Recorded {
  /** The newest segment that stands; it says what the worker does not say between. */
  readonly last: Segment | undefined;
  readonly recovery: Recovery;
}

export function viewOf(known: Known, config: Config, { last, recovery }: Recorded): WorkerView {
  const { name, contact, why, since, heardAt, incarnation, pid, progress, dropped, node, store } = known;
  const layer = layerOf(name);
  const bytes = bytesPerSecond(known);
  const {
    state,
    loss,
    generatorError,
    cosine,
    staleness,
    inFlight,
    window,
    durable,
    rssBytes,
    keptBytes,
    alarm,
  } = progress ?? {};
  return {
    ...{ name, contact, since, incarnation, dropped, batch: progress?.batch ?? last?.last ?? -1 },
    perSecond: progress?.perSecond ?? 0,
    ...figuresOf(last),
    ...recovery,
    ...defined({
      ...{ layer, shape: layer === undefined ? undefined : viewOfLayer(config.layers[layer - 1]!) },
      ...{ why, state, heardAt, pid, node, store, loss, generatorError, cosine, staleness },
      ...{ inFlight, window, durable, rssBytes, keptBytes, alarm },
      ...{ sendsPerSecond: bytes?.sends, receivesPerSecond: bytes?.receives },
    }),
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
