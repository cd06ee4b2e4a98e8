import type { Config, LayerConfig } from "../../shared/config/config.ts";
import type { WorkerView } from "../../shared/record/hub-api.ts";
import type { Segment } from "../../shared/record/lines.ts";
import { layerOf } from "../../shared/record/worker-name.ts";
import { bytesPerSecond, type Known } from "./contact.ts";

/** `last`: the newest segment of the worker that stands; it says what the worker does not say between. */
export function viewOf(known: Known, config: Config, last: Segment | undefined): WorkerView {
  const { name, contact, why, since, heardAt, incarnation, pid, progress, dropped } = known;
  const layer = layerOf(name);
  const bytes = bytesPerSecond(known);
  return defined({
    name,
    layer,
    shape: layer === undefined ? undefined : shapeOf(config.layers[layer - 1]!),
    contact,
    why,
    state: progress?.state,
    heardAt,
    since,
    incarnation,
    batch: progress?.batch ?? last?.last ?? -1,
    perSecond: progress?.perSecond ?? 0,
    loss: progress?.loss ?? last?.loss,
    generatorError: progress?.generatorError ?? last?.generatorError,
    cosine: progress?.cosine ?? last?.cosine,
    staleness: progress?.staleness ?? last?.staleness,
    inFlight: progress?.inFlight,
    window: progress?.window,
    sendsPerSecond: bytes?.sends,
    receivesPerSecond: bytes?.receives,
    durable: progress?.durable,
    rssBytes: progress?.rssBytes,
    alarm: progress?.alarm,
    dropped,
    pid,
  });
}

export function shapeOf(layer: LayerConfig): NonNullable<WorkerView["shape"]> {
  const { inputs, outputs, conv, batchNorm, nonlinearity } = layer;
  // A convolution has one set of weights for all places of an image.
  const [length, width] = conv
    ? [conv.shape.kernel ** 2 * conv.shape.channels, conv.channels]
    : [inputs, outputs];
  return {
    inputs,
    outputs,
    what: [...(conv ? ["convolution"] : []), ...(batchNorm ? ["batch norm"] : []), nonlinearity].join(", "),
    // Batch norm has a scale and a shift for each output, and makes a bias superfluous.
    parameters: length * width + width * (batchNorm ? 2 : 1),
  };
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
